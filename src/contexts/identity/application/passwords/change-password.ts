import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { passwordWrong, unauthenticated } from '../../domain/identity-errors.js';
import { changePassword } from '../../domain/user.js';
import { UserAccounts } from '../accounts/ports.js';
import { UserKeyRevocation } from '../api-keys/user-key-revocation.js';
import { Sessions } from '../sessions/sessions.js';
import { GuessThrottle } from './guess-throttle.js';
import { Passwords } from './passwords.js';

/** By a user who knows the current password. */
export class ChangePassword extends Command<void> {
  constructor(
    /** The calling session, which continues. */
    readonly session: { readonly userId: string; readonly sessionId: string },
    readonly passwords: { readonly current: string; readonly next: string },
    readonly revokesApiKeys: boolean,
    readonly by: Actor,
  ) {
    super();
  }
}

/** Ends all other sessions, and all API keys on request. */
@CommandHandler(ChangePassword)
export class ChangePasswordHandler implements ICommandHandler<ChangePassword> {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly sessions: Sessions,
    private readonly passwords: Passwords,
    private readonly throttle: GuessThrottle,
    private readonly keys: UserKeyRevocation,
  ) {}

  async execute({ session: { userId, sessionId }, passwords, revokesApiKeys, by }: ChangePassword): Promise<void> {
    // A separate name: guesses at logins must not keep the owner from changing the password in an existing session.
    const name = `change of ${userId}`;
    const address = by.origin?.address ?? 'unknown';
    const reportLimits = (): void => this.throttle.left(name, address).forEach((left) => by.onLimit?.(left));
    await this.throttle.attempt(name, address, () => Promise.resolve(new Set()));
    const account = await this.accounts.find(userId);
    if (!account) throw unauthenticated();
    const { right } = await this.passwords.verify(passwords.current, account.passwordHash).catch((error: unknown) => {
      this.throttle.withdraw(name, address);
      throw error;
    });
    if (!right) {
      this.throttle.failed(name, address);
      reportLimits();
      throw passwordWrong();
    }
    this.throttle.succeeded(name, address);
    reportLimits();
    await this.passwords.requireAcceptable(passwords.next, [account.email, account.name], '/newPassword');
    const passwordHash = await this.passwords.hash(passwords.next);
    const ended = (await this.sessions.list(userId)).filter((session) => session.sessionId !== sessionId);
    const ref = { userId };
    const provenHash = account.passwordHash!;
    const repository = this.accounts.changing({ passwordHash, verifiedHash: provenHash, keptSessionId: sessionId });
    await this.aggregates.change(repository, ref, by, (state) => changePassword(state, ref, 'self', revokesApiKeys));
    await this.sessions.recordEnds(ended, 'password-changed', by);
    if (revokesApiKeys) await this.keys.revokeAll(userId, by);
  }
}
