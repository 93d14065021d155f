import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { normalizeEmail } from '../../domain/email.js';
import { PasswordMails } from './password-mails.js';
import { ResetQuota } from './reset-quota.js';

/** For an unauthenticated caller, who names the account. */
export class RequestPasswordReset extends Command<void> {
  constructor(
    readonly email: string,
    readonly by: Actor,
  ) {
    super();
  }
}

/** The caller learns nothing about the account: the limits that they see depend only on their own requests. */
@CommandHandler(RequestPasswordReset)
export class RequestPasswordResetHandler implements ICommandHandler<RequestPasswordReset> {
  constructor(
    private readonly quota: ResetQuota,
    private readonly mails: PasswordMails,
  ) {}

  async execute({ email, by }: RequestPasswordReset): Promise<void> {
    const name = normalizeEmail(email);
    const address = by.origin?.address ?? 'unknown';
    const taken = this.quota.take(name, address);
    for (const left of this.quota.left(name, address)) by.onLimit?.(left);
    if (taken) this.mails.sendIfKnown(email);
  }
}
