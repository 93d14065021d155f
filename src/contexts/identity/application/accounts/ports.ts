import { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { Sql } from '../../../../platform/postgres/database.js';
import type { AccountFacts } from '../../domain/account-rules.js';
import { userNotFound, type UserEvent, type UserKind, type UserRef, type UserState } from '../../domain/user.js';

export interface Account {
  readonly userId: string;
  readonly kind: UserKind;
  /** Null for service accounts. */
  readonly email: string | null;
  readonly name: string;
  readonly state: 'active' | 'suspended';
  /** Why it is suspended. */
  readonly reason: string | null;
  /** Null until a password is chosen. */
  readonly passwordHash: string | null;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type NewAccount = Pick<Account, 'kind' | 'email' | 'name' | 'passwordHash'>;

/** What a change of a user stores; fields that are missing stay. */
export interface AccountChange {
  readonly name?: string;
  /** A new one invalidates tokens for a new password. */
  readonly email?: string;
  readonly reason?: string | null;
  /** Ends the sessions and invalidates tokens for a new password. */
  readonly passwordHash?: string;
  /** The hash that the current password was compared with; it must still be stored. */
  readonly verifiedHash?: string;
  /** The session that a new password does not end. */
  readonly keptSessionId?: string;
  /** Digest of the token that this change uses up; it must still be stored. */
  readonly resetDigest?: string;
}

export interface FirstKey {
  readonly id: string;
  readonly digest: string;
  readonly name: string;
  readonly expiresAt: number;
}

export type UserRepository = AggregateRepository<UserState, UserEvent, UserRef, AccountFacts>;

/** The repository of one change of an account. */
export interface AccountChangeRepository extends UserRepository {
  /** After the change. Undefined: nothing had to change, or the user is deleted. */
  readonly stored: Account | undefined;
}

/**
 * Accounts: the data of users that is not in their events. E-mails are unique, whatever their spelling. They are stored in their normal form, in
 * which callers pass them, and can be looked up in any. A suspension and a deletion end the sessions of the user in the same transaction.
 */
export abstract class UserAccounts extends AggregateRepository<UserState, UserEvent, UserRef, AccountFacts> {
  /** Stores the account with its first event. */
  abstract creating(account: NewAccount): AccountChangeRepository;
  /** The same for the first user, optionally with a key. Safe when a second instance does the same. */
  abstract creatingFirst(account: NewAccount, key: FirstKey | undefined): UserRepository;
  abstract changing(change: AccountChange): AccountChangeRepository;
  abstract any(): Promise<boolean>;
  /** The oldest account; undefined: there is none. Scans all of them. */
  abstract first(): Promise<Account | undefined>;
  abstract find(userId: string): Promise<Account | undefined>;
  async require(userId: string): Promise<Account> {
    const account = await this.find(userId);
    if (!account) throw userNotFound(userId);
    return account;
  }
  /** Whether the user exists and is not suspended. */
  abstract isActive(userId: string): Promise<boolean>;
  abstract findByEmail(email: string): Promise<Account | undefined>;
  /** In order of ids, which says nothing about their age; starts after `afterId`. */
  abstract list(filter: { readonly email?: string }, afterId: string, limit: number): Promise<Account[]>;
  /** Stores the same password with a new hash; false: another hash has been stored meanwhile. */
  abstract rehash(userId: string, from: string, to: string): Promise<boolean>;
  /**
   * Keeps earlier tokens of the user; beyond fifty, those that expire first go. False: the user is not active any more, or has another e-mail.
   */
  abstract storeReset(reset: PasswordReset, email: string): Promise<boolean>;
  abstract findReset(digest: string): Promise<PasswordReset | undefined>;
}

export interface PasswordReset {
  readonly userId: string;
  readonly digest: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** How a context takes part when a user leaves. Called in the transaction of the change. */
export interface UserLifecycleListener {
  /** Before the change is written: throws if the user must not leave, and locks what that decision depends on. */
  checkLeaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void>;
  /** Removes the rows of the context about a deleted user. */
  deleted(sql: Sql, userId: string): Promise<void>;
}

/** Contexts later in the order that depend on users register here. */
export class UserLifecycle implements UserLifecycleListener {
  private readonly witnesses: UserLifecycleListener[] = [];

  register(witness: UserLifecycleListener): void {
    this.witnesses.push(witness);
  }

  async checkLeaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void> {
    for (const witness of this.witnesses) await witness.checkLeaving(sql, userId, how);
  }

  async deleted(sql: Sql, userId: string): Promise<void> {
    for (const witness of this.witnesses) await witness.deleted(sql, userId);
  }
}
