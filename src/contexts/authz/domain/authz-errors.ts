import { defineErrors } from '../../../kernel/domain-error.js';

export const authzError = defineErrors({
  'permission-denied': { kind: 'forbidden', title: 'The permission is missing' },
  'permission-undeclared': { kind: 'internal', title: 'Something went wrong on our side' },
  'permission-rate-limited': { kind: 'throttled', title: 'The permission is used up for now' },
  'exceeds-own-permissions': { kind: 'forbidden', title: 'Nobody can give what they do not hold' },
  'last-holder': { kind: 'conflict', title: 'The last one must stay' },
  'member-not-found': { kind: 'not-found', title: 'Member not found' },
  'role-not-found': { kind: 'not-found', title: 'Role not found' },
  'role-exists': { kind: 'conflict', title: 'The role exists already' },
  'role-id-invalid': { kind: 'invalid', title: 'The id is not valid' },
  'role-predefined': { kind: 'forbidden', title: 'Predefined roles stay as they are' },
  'role-in-use': { kind: 'conflict', title: 'The role is still held' },
  'role-invalid': { kind: 'invalid', title: 'The role is not valid' },
  'too-many-roles': { kind: 'conflict', title: 'There are as many roles as there may be' },
  'group-not-found': { kind: 'not-found', title: 'Group not found' },
  'group-exists': { kind: 'conflict', title: 'The group exists already' },
  'group-id-invalid': { kind: 'invalid', title: 'The id is not valid' },
  'group-cycle': { kind: 'conflict', title: 'A group cannot hold itself' },
  'group-full': { kind: 'conflict', title: 'The group holds as many as it may' },
  'too-many-groups': { kind: 'conflict', title: 'There are as many groups as there may be' },
  'grant-not-found': { kind: 'not-found', title: 'Grant not found' },
  'grant-invalid': { kind: 'invalid', title: 'The grant is not valid' },
  'too-many-grants': { kind: 'conflict', title: 'There are as many grants as there may be' },
});

export const permissionDenied = (permission: string): Error =>
  authzError('permission-denied', `This requires the permission ${permission}.`, { permission });
