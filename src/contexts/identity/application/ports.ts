export interface Account {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
}

export interface NewSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly refreshDigest: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface Session {
  readonly userId: string;
  readonly expiresAt: number;
}

export type Rotation = 'rotated' | 'reused' | 'unknown';

/** Accounts, sessions and keys as authentication sees them. */
export abstract class Credentials {
  abstract anyAccount(): Promise<boolean>;
  /** Who was created first. */
  abstract firstUserId(): Promise<string | undefined>;
  abstract findByEmail(email: string): Promise<Account | undefined>;
  abstract findUser(userId: string): Promise<Account | undefined>;
  /** Creates the account and its key if the store has no account yet; false: it has. Safe against a second instance doing the same. */
  abstract createFirst(
    account: Account,
    key: { id: string; digest: string; name: string },
    now: number,
  ): Promise<boolean>;
  abstract createSession(session: NewSession): Promise<void>;
  abstract findSession(sessionId: string): Promise<Session | undefined>;
  /** Exchanges the digest in one conditional update. `reused`: the digest was exchanged before, and the session is ended. */
  abstract rotate(sessionId: string, oldDigest: string, newDigest: string, now: number): Promise<Rotation>;
  abstract endSession(sessionId: string): Promise<void>;
}
