import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { normalizeEmail } from '../../domain/email.js';
import { resetTokenInvalid } from '../../domain/identity-errors.js';
import { changePassword } from '../../domain/user.js';
import { UserAccounts } from '../accounts/ports.js';
import { UserKeyRevocation } from '../api-keys/user-key-revocation.js';
import { Sessions } from '../sessions/sessions.js';
import { GuessThrottle } from './guess-throttle.js';
import { resetDigestOf } from './password-mails.js';
import { Passwords } from './passwords.js';

/** By a user who can read the mail of the account: for a new password, or the first one after an invitation. */
export class ResetPassword extends Command<void> {
  constructor(
    readonly token: string,
    readonly newPassword: string,
    readonly revokesApiKeys: boolean,
    readonly by: Actor,
  ) {
    super();
  }
}

/** The token works once, and only with an acceptable password. */
@CommandHandler(ResetPassword)
export class ResetPasswordHandler implements ICommandHandler<ResetPassword> {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly sessions: Sessions,
    private readonly passwords: Passwords,
    private readonly throttle: GuessThrottle,
    private readonly clock: Clock,
    private readonly keys: UserKeyRevocation,
  ) {}

  async execute({ token, newPassword, revokesApiKeys, by }: ResetPassword): Promise<void> {
    const resetDigest = resetDigestOf(token);
    const reset = resetDigest && (await this.accounts.findReset(resetDigest));
    if (!reset || reset.expiresAt <= this.clock.now()) throw resetTokenInvalid();
    const { userId } = reset;
    const account = await this.accounts.find(userId);
    if (account?.state !== 'active') throw resetTokenInvalid();
    await this.passwords.requireAcceptable(newPassword, [account.email, account.name], '/newPassword');
    const passwordHash = await this.passwords.hash(newPassword);
    const ended = await this.sessions.list(userId);
    const ref = { userId };
    const repository = this.accounts.changing({ passwordHash, resetDigest: reset.digest });
    await this.aggregates.change(repository, ref, by, (state) => changePassword(state, ref, 'reset', revokesApiKeys));
    this.throttle.forgetFailures(normalizeEmail(account.email!));
    await this.sessions.recordEnds(ended, 'password-reset', by);
    if (revokesApiKeys) await this.keys.revokeAll(userId, by);
  }
}
