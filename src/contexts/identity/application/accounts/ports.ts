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

/** What a change of a user is to store; what is missing stays. */
export interface AccountChange {
  readonly name?: string;
  /** Another one makes a token for a new password worthless. */
  readonly email?: string;
  readonly reason?: string | null;
  /** Ends the sessions and makes a token for a new password worthless. */
  readonly passwordHash?: string;
  /** The hash that the present password was compared with, and that is still to be there. */
  readonly provenHash?: string;
  /** The session that a new password does not end. */
  readonly keptSessionId?: string;
  /** Digest of the token that this change uses up, and that is still to be there. */
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
export interface StoringAccount extends UserRepository {
  /** As the change has left it. Undefined: nothing was to be changed, or the user is deleted. */
  readonly stored: Account | undefined;
}

/**
 * Accounts: what is known of users beside their events. E-mails are unique, also against other spellings, and stored in the
 * form that they are given in, which is their normal one; they are asked for in any. A suspension
 * and a deletion end the sessions of the user in the same transaction.
 */
export abstract class UserAccounts extends AggregateRepository<UserState, UserEvent, UserRef, AccountFacts> {
  /** Stores the account with its first event. */
  abstract creating(account: NewAccount): StoringAccount;
  /** The same, perhaps with a key, of who is to be the first. Safe against a second instance doing the same. */
  abstract creatingFirst(account: NewAccount, key: FirstKey | undefined): UserRepository;
  abstract changing(change: AccountChange): StoringAccount;
  abstract any(): Promise<boolean>;
  /** Who was here first; undefined: nobody is. Looks at all of them. */
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
  /** In order of ids, which says nothing of when they were made; begins after `afterId`. */
  abstract list(filter: { readonly email?: string }, afterId: string, limit: number): Promise<Account[]>;
  /** The same password hashed in another way; false: another hash is there meanwhile. */
  abstract rehash(userId: string, from: string, to: string): Promise<boolean>;
  /** Beside those that he has; of more than fifty those go that end first. False: the user is not active any more, or has another e-mail. */
  abstract storeReset(reset: PasswordReset, email: string): Promise<boolean>;
  abstract findReset(digest: string): Promise<PasswordReset | undefined>;
}

export interface PasswordReset {
  readonly userId: string;
  readonly digest: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What a context has to say, and to do, where a user goes. Called in the transaction of the change. */
export interface UserWitness {
  /** Before the change is written: throws where the user must not go, and locks what that rests on. */
  checkLeaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void>;
  /** Removes what there is of a user who is deleted. */
  deleted(sql: Sql, userId: string): Promise<void>;
}

/** Contexts that come later in the order, and depend on users, register themselves here. */
export class UserLives implements UserWitness {
  private readonly witnesses: UserWitness[] = [];

  register(witness: UserWitness): void {
    this.witnesses.push(witness);
  }

  async checkLeaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void> {
    for (const witness of this.witnesses) await witness.checkLeaving(sql, userId, how);
  }

  async deleted(sql: Sql, userId: string): Promise<void> {
    for (const witness of this.witnesses) await witness.deleted(sql, userId);
  }
}
