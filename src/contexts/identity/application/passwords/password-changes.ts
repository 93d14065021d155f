import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { normalEmail } from '../../domain/email.js';
import { identityError, unauthenticated } from '../../domain/identity-errors.js';
import { changePassword } from '../../domain/user.js';
import { GuessThrottle } from './guess-throttle.js';
import { KeysOfUsers } from '../api-keys/keys-of-users.js';
import { resetDigestOf } from './password-mails.js';
import { Passwords } from './passwords.js';
import { UserAccounts } from '../accounts/ports.js';
import { Sessions } from '../sessions/sessions.js';

/** New passwords: by who knows the old one, and by who has the mail of the account. */
@Injectable()
export class PasswordChanges {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly sessions: Sessions,
    private readonly passwords: Passwords,
    private readonly throttle: GuessThrottle,
    private readonly clock: Clock,
    private readonly keys: KeysOfUsers,
  ) {}

  /** Ends all sessions but the one that asks, and all API keys if they are to end. */
  async change(
    { userId, sessionId }: { readonly userId: string; readonly sessionId: string },
    passwords: { readonly current: string; readonly next: string },
    revokesApiKeys: boolean,
    by: Actor,
  ): Promise<void> {
    // A name of its own: who guesses at logins must not keep the owner from changing his password in a session that he has.
    const name = `change of ${userId}`;
    const address = by.origin?.address ?? 'unknown';
    const told = (): void => this.throttle.left(name, address).forEach((left) => by.onLimit?.(left));
    await this.throttle.attempt(name, address, () => Promise.resolve(new Set()));
    const account = await this.accounts.find(userId);
    if (!account) throw unauthenticated();
    const { right } = await this.passwords.verify(passwords.current, account.passwordHash).catch((error: unknown) => {
      this.throttle.withdraw(name, address);
      throw error;
    });
    if (!right) {
      this.throttle.failed(name, address);
      told();
      throw passwordWrong();
    }
    this.throttle.succeeded(name, address);
    told();
    await this.passwords.judge(passwords.next, [account.email, account.name], '/newPassword');
    const passwordHash = await this.passwords.hash(passwords.next);
    const ended = (await this.sessions.list(userId)).filter((session) => session.sessionId !== sessionId);
    const ref = { userId };
    const provenHash = account.passwordHash!;
    const repository = this.accounts.changing({ passwordHash, provenHash, keptSessionId: sessionId });
    await this.aggregates.change(repository, ref, by, (state) => changePassword(state, ref, 'self', revokesApiKeys));
    await this.sessions.told(ended, 'password-changed', by);
    if (revokesApiKeys) await this.keys.revokeAll(userId, by);
  }

  /** The token works once, and only where the password is good enough. */
  async reset(token: string, password: string, revokesApiKeys: boolean, by: Actor): Promise<void> {
    const resetDigest = resetDigestOf(token);
    const reset = resetDigest && (await this.accounts.findReset(resetDigest));
    if (!reset || reset.expiresAt <= this.clock.now()) throw resetTokenInvalid();
    const { userId } = reset;
    const account = await this.accounts.find(userId);
    if (account?.state !== 'active') throw resetTokenInvalid();
    await this.passwords.judge(password, [account.email, account.name], '/newPassword');
    const passwordHash = await this.passwords.hash(password);
    const ended = await this.sessions.list(userId);
    const ref = { userId };
    const repository = this.accounts.changing({ passwordHash, resetDigest: reset.digest });
    await this.aggregates.change(repository, ref, by, (state) => changePassword(state, ref, 'reset', revokesApiKeys));
    this.throttle.forgive(normalEmail(account.email!));
    await this.sessions.told(ended, 'password-reset', by);
    if (revokesApiKeys) await this.keys.revokeAll(userId, by);
  }
}

export const passwordWrong = (): Error => identityError('password-wrong', 'The current password is wrong.');

export const resetTokenInvalid = (): Error =>
  identityError('reset-token-invalid', 'The token is wrong, used or expired; ask for another one.');
