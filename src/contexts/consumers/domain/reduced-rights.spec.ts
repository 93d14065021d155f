import { reducedRights, type PermissionEvent } from './reduced-rights.js';

const event = (type: string, data: PermissionEvent['data'] = {}, tenantId = 'acme'): PermissionEvent => ({
  type,
  tenantId,
  data,
});
const to = (kind: string, id: string, effect = 'deny'): PermissionEvent['data'] => ({
  principal: { kind, id },
  effect,
});
const lessened = (...events: PermissionEvent[]): unknown =>
  Object.fromEntries([...reducedRights(events)].map(([tenant, users]) => [tenant, users && [...users]]));

describe('users whose rights may be reduced', () => {
  it.each([
    ['a member who loses a role', event('member.role-removed', { userId: 'usr_1' })],
    ['a member who gets a role, to which something may be denied', event('member.role-assigned', { userId: 'usr_1' })],
    ['a member who is removed', event('member.removed', { userId: 'usr_1' })],
    ['a user to whom something is denied', event('grant.created', to('user', 'usr_1'))],
    ['a user whose grant is revoked', event('grant.revoked', { principal: { kind: 'user', id: 'usr_1' } })],
    ['a user who leaves a group', event('group.part-removed', { part: 'user', id: 'usr_1' })],
    ['a user who joins a group', event('group.part-added', { part: 'user', id: 'usr_1' })],
  ])('%s: that one only', (_, one) => expect(lessened(one)).toEqual({ acme: ['usr_1'] }));

  it.each([
    ['a role', event('role.changed')],
    ['the end of a role', event('role.deleted')],
    ['the end of a group', event('group.deleted')],
    ['a group of a group', event('group.part-removed', { part: 'group', id: 'inner' })],
    ['a role of a group', event('group.part-added', { part: 'role', id: 'viewer' })],
    ['a denial to a group', event('grant.created', to('group', 'g'))],
    ['a grant of a role that is revoked', event('grant.revoked', { principal: { kind: 'role', id: 'viewer' } })],
    ['something that is not known', event('spell.cast', { userId: 'usr_1' })],
  ])('by %s: all in the tenant', (_, one) => expect(lessened(one)).toEqual({ acme: null }));

  it.each([
    ['an allow', event('grant.created', to('user', 'usr_1', 'allow'))],
    ['a new role', event('role.created')],
    ['a new group', event('group.created')],
    ['another name', event('group.renamed')],
    ['what is denied to a key', event('grant.created', to('apiKey', 'key_1'))],
  ])('by %s: none', (_, one) => expect(lessened(one)).toEqual({}));

  it('are listed once for each tenant, however many events there are', () => {
    const many = Array.from({ length: 500 }, (_, i) => event('member.role-removed', { userId: `usr_${i % 2}` }));
    expect(lessened(...many, event('member.removed', { userId: 'usr_9' }, '$system'))).toEqual({
      acme: ['usr_0', 'usr_1'],
      $system: ['usr_9'],
    });
    expect(lessened(event('role.changed'), ...many)).toEqual({ acme: null });
    expect(lessened(...many, event('role.changed'))).toEqual({ acme: null });
  });
});
