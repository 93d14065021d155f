import { serializedLog, type Aggregate } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { checkAccount, type AccountFacts } from './account-rules.js';
import { identityError } from './identity-errors.js';

export interface UserRef {
  readonly userId: string;
}

/** A service account belongs to a program: it has no e-mail and no password, cannot log in, and holds API keys. */
export type UserKind = 'human' | 'service';

type Nothing = Record<string, never>;

/** No event says who a user is: e-mail, name and password are in a row that a deletion erases, so that the log identifies no one. */
export type UserEvent =
  | { type: 'user.created'; data: { userId: string; kind: UserKind } }
  | { type: 'user.invited'; data: Nothing }
  | { type: 'user.renamed'; data: Nothing }
  | { type: 'user.email-changed'; data: Nothing }
  | { type: 'user.password-changed'; data: { by: 'self' | 'reset'; revokesApiKeys?: true } }
  | { type: 'user.password-reset-sent'; data: Nothing }
  | { type: 'user.suspended'; data: Nothing }
  | { type: 'user.activated'; data: Nothing }
  | { type: 'user.deleted'; data: Nothing };

interface ExistingUser {
  readonly status: 'active' | 'suspended';
  readonly kind: UserKind;
}

export type UserState = { readonly status: 'none' } | { readonly status: 'deleted' } | ExistingUser;

export const userAggregate: Aggregate<UserState, UserEvent, UserRef, AccountFacts> = {
  // No other change takes an e-mail, or creates the first user, between the query and the commit.
  topicUid: serializedLog('users'),
  eventTypes: {
    'user.created': { version: 1 },
    'user.invited': { version: 1 },
    'user.renamed': { version: 1 },
    'user.email-changed': { version: 1 },
    'user.password-changed': { version: 1 },
    'user.password-reset-sent': { version: 1 },
    'user.suspended': { version: 1 },
    'user.activated': { version: 1 },
    'user.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  check: checkAccount,
  streamOf: ({ userId }) => userId,
  tenantOf: () => SYSTEM_TENANT,
  resourceOf: ({ userId }) => `users/${userId}`,
  evolve(state, { type, data }): UserState {
    if (type === 'user.created') return { status: 'active', kind: data.kind };
    if (state.status === 'none' || state.status === 'deleted') return state;
    switch (type) {
      case 'user.suspended':
        return { ...state, status: 'suspended' };
      case 'user.activated':
        return { ...state, status: 'active' };
      case 'user.deleted':
        return { status: 'deleted' };
      default:
        return state;
    }
  },
};

/** Users who were asked to choose a first password are shown as `invited` until then. */
export const shownState = ({
  kind,
  state,
  passwordHash,
}: {
  readonly kind: UserKind;
  readonly state: 'active' | 'suspended';
  readonly passwordHash: string | null;
}): 'invited' | 'active' | 'suspended' =>
  kind === 'human' && state === 'active' && passwordHash === null ? 'invited' : state;

/** Ids are never reused. */
export function createUser(state: UserState, { userId }: UserRef, kind: UserKind, invited: boolean): UserEvent[] {
  if (state.status !== 'none') throw identityError('user-exists', `User "${userId}" exists.`);
  const created: UserEvent = { type: 'user.created', data: { userId, kind } };
  return invited ? [created, { type: 'user.invited', data: {} }] : [created];
}

export function changeUser(
  state: UserState,
  ref: UserRef,
  changed: { readonly name: boolean; readonly email: boolean },
): UserEvent[] {
  const { kind } = existing(state, ref);
  if (changed.email && kind === 'service') throw serviceAccount('has no e-mail');
  const events: UserEvent[] = [];
  if (changed.name) events.push({ type: 'user.renamed', data: {} });
  if (changed.email) events.push({ type: 'user.email-changed', data: {} });
  return events;
}

/** API keys remain valid, unless their owner asks to revoke them, too. */
export function changePassword(
  state: UserState,
  ref: UserRef,
  by: 'self' | 'reset',
  revokesApiKeys = false,
): UserEvent[] {
  requireLogin(state, ref);
  return [{ type: 'user.password-changed', data: revokesApiKeys ? { by, revokesApiKeys } : { by } }];
}

/** An administrator has the user choose a new password. */
export function sendPasswordReset(state: UserState, ref: UserRef): UserEvent[] {
  requireLogin(state, ref);
  return [{ type: 'user.password-reset-sent', data: {} }];
}

export function suspendUser(state: UserState, ref: UserRef, by: string): UserEvent[] {
  const user = existing(state, ref);
  refuseOwnAccount(ref, by);
  return user.status === 'suspended' ? [] : [{ type: 'user.suspended', data: {} }];
}

export function activateUser(state: UserState, ref: UserRef): UserEvent[] {
  return existing(state, ref).status === 'active' ? [] : [{ type: 'user.activated', data: {} }];
}

export function deleteUser(state: UserState, ref: UserRef, by: string): UserEvent[] {
  existing(state, ref);
  refuseOwnAccount(ref, by);
  return [{ type: 'user.deleted', data: {} }];
}

/** Keeps an administrator from removing the last user who could admit others. */
function refuseOwnAccount({ userId }: UserRef, by: string): void {
  if (userId === by)
    throw identityError('own-account', 'Users cannot suspend or delete themselves: another administrator must do it.');
}

function requireLogin(state: UserState, ref: UserRef): void {
  const { kind, status } = existing(state, ref);
  if (kind === 'service') throw serviceAccount('has no password');
  if (status === 'suspended') throw identityError('user-suspended', `User "${ref.userId}" is suspended.`);
}

function existing(state: UserState, { userId }: UserRef): ExistingUser {
  if (state.status === 'none' || state.status === 'deleted') throw userNotFound(userId);
  return state;
}

export const userNotFound = (userId: string): Error =>
  identityError('user-not-found', `There is no user "${userId.slice(0, 100)}".`);

export const serviceAccount = (lacks: string): Error => identityError('service-account', `A service account ${lacks}.`);
