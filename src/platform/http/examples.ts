/**
 * The names that the examples of the document go by. Those of the first group are chosen by clients, and are there after
 * `npm run demo -- --keep=acme`, or are made by an example; those of the second are made by the server, so that whoever sends an example
 * puts in their own.
 */
export const EXAMPLE = {
  tenantId: 'acme',
  namespaceId: 'shop',
  topicId: 'orders',
  consumerId: 'warehouse',
  roleId: 'order-clerk',
  groupId: 'order-desk',
  nestedGroupId: 'night-shift',
  eventId: 'order-1001-created',
  stream: 'order-1001',

  userId: 'usr_01k9y2m4c0abcdefghjkmnpqrs',
  sessionId: 'ses_01k9y2m4c0tvwxyz0123456789',
  keyId: 'key_3kTMd9ZxQw1a',
  grantId: 'grt_01k9y2m4c0fghjkmnpqrstvwxy',
  deletionId: 'del_01k9y2m4c0pqrstvwxyz012345',
} as const;

export const EXAMPLE_TIME = '2026-11-30T09:00:00.000Z';
export const EXAMPLE_CORRELATION_ID = '5f0c2b7e-9a41-4f6d-8c3e-1d2b7a9e4c50';
