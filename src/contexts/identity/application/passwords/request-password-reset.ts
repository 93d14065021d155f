import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { normalEmail } from '../../domain/email.js';
import { PasswordMails } from './password-mails.js';
import { ResetQuota } from './reset-quota.js';

/** For a stranger, who says whose account it is. */
export class RequestPasswordReset extends Command<void> {
  constructor(
    readonly email: string,
    readonly by: Actor,
  ) {
    super();
  }
}

/** Whoever asks learns nothing of the account: what is left to them depends on what they asked for alone. */
@CommandHandler(RequestPasswordReset)
export class RequestPasswordResetHandler implements ICommandHandler<RequestPasswordReset> {
  constructor(
    private readonly quota: ResetQuota,
    private readonly mails: PasswordMails,
  ) {}

  async execute({ email, by }: RequestPasswordReset): Promise<void> {
    const name = normalEmail(email);
    const address = by.origin?.address ?? 'unknown';
    const taken = this.quota.take(name, address);
    for (const left of this.quota.left(name, address)) by.onLimit?.(left);
    if (taken) this.mails.sendIfKnown(email);
  }
}
