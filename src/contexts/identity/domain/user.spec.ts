import {
  activateUser,
  changePassword,
  changeUser,
  createUser,
  deleteUser,
  sendPasswordReset,
  suspendUser,
  userAggregate,
  type UserEvent,
  type UserState,
} from './user.js';

const ref = { userId: 'usr_1' };
const given = (...events: UserEvent[]): UserState =>
  events.reduce((state, event) => userAggregate.evolve(state, event, { recordedAt: 1 }), userAggregate.initial);
const created = (kind: 'human' | 'service' = 'human'): UserEvent => ({
  type: 'user.created',
  data: { userId: 'usr_1', kind },
});
const suspended: UserEvent = { type: 'user.suspended', data: {} };
const deleted: UserEvent = { type: 'user.deleted', data: {} };
const nothing = { name: false, email: false };
const types = (events: readonly UserEvent[]): string[] => events.map(({ type }) => type);

describe('a user', () => {
  it('is created once, as invited without a password', () => {
    expect(createUser(given(), ref, 'human', false)).toEqual([created()]);
    expect(types(createUser(given(), ref, 'human', true))).toEqual(['user.created', 'user.invited']);
    for (const before of [given(created()), given(created(), deleted)])
      expect(() => createUser(before, ref, 'human', false)).toThrow('exists');
  });

  it('has no event if nothing changes', () => {
    expect(changeUser(given(created()), ref, nothing)).toEqual([]);
    expect(types(changeUser(given(created()), ref, { name: true, email: true }))).toEqual([
      'user.renamed',
      'user.email-changed',
    ]);
  });

  it('is suspended and activated, each once, by another user', () => {
    expect(types(suspendUser(given(created()), ref, 'usr_2'))).toEqual(['user.suspended']);
    expect(suspendUser(given(created(), suspended), ref, 'usr_2')).toEqual([]);
    expect(types(activateUser(given(created(), suspended), ref))).toEqual(['user.activated']);
    expect(activateUser(given(created()), ref)).toEqual([]);
    expect(() => suspendUser(given(created()), ref, 'usr_1')).toThrow('themselves');
    expect(() => deleteUser(given(created()), ref, 'usr_1')).toThrow('themselves');
  });

  it('that is suspended gets no new password', () => {
    const state = given(created(), suspended);
    expect(() => changePassword(state, ref, 'reset')).toThrow('is suspended');
    expect(() => sendPasswordReset(state, ref)).toThrow('is suspended');
  });

  it('that is a service account has nothing to log in with', () => {
    const state = given(created('service'));
    expect(() => changePassword(state, ref, 'self')).toThrow('no password');
    expect(() => sendPasswordReset(state, ref)).toThrow('no password');
    expect(() => changeUser(state, ref, { name: false, email: true })).toThrow('no e-mail');
    expect(types(changeUser(state, ref, { name: true, email: false }))).toEqual(['user.renamed']);
  });

  it('that is deleted stays so', () => {
    const state = given(created(), deleted, suspended, { type: 'user.activated', data: {} });
    expect(state).toEqual({ status: 'deleted' });
    for (const command of [
      () => changeUser(state, ref, nothing),
      () => changePassword(state, ref, 'self'),
      () => suspendUser(state, ref, 'usr_2'),
      () => activateUser(state, ref),
      () => deleteUser(state, ref, 'usr_2'),
    ])
      expect(command).toThrow('There is no user');
  });
});
