import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { sendPasswordReset, userNotFound } from '../../domain/user.js';
import { PasswordMails } from './password-mails.js';
import { UserAccounts } from '../accounts/ports.js';

/** For an administrator, who may have a user choose a new password, but not choose it himself. */
@Injectable()
export class SendPasswordReset {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly mails: PasswordMails,
  ) {}

  async to(userId: string, by: Actor): Promise<void> {
    const account = await this.accounts.find(userId);
    if (!account) throw userNotFound(userId);
    this.mails.require();
    const ref = { userId };
    await this.aggregates.change(this.accounts, ref, by, (state) => sendPasswordReset(state, ref));
    this.mails.send(account);
  }
}
