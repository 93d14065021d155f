import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { sendPasswordReset } from '../../domain/user.js';
import { UserAccounts } from '../accounts/ports.js';
import { PasswordMails } from './password-mails.js';

/** For administrators, who may have a user choose a new password, but never choose it themselves. */
export class SendPasswordReset extends Command<void> {
  constructor(
    readonly userId: string,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(SendPasswordReset)
export class SendPasswordResetHandler implements ICommandHandler<SendPasswordReset> {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly mails: PasswordMails,
  ) {}

  async execute({ userId, by }: SendPasswordReset): Promise<void> {
    const account = await this.accounts.require(userId);
    this.mails.requireDelivery();
    const ref = { userId };
    await this.aggregates.change(this.accounts, ref, by, (state) => sendPasswordReset(state, ref));
    this.mails.send(account);
  }
}
