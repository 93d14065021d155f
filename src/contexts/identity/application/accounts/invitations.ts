import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../../kernel/aggregate.js';
import { DomainError } from '../../../../kernel/domain-error.js';
import { newTimelessId } from '../../../../kernel/ids.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { defaultName, normalizeEmail } from '../../domain/email.js';
import { createUser } from '../../domain/user.js';
import { PasswordMails } from '../passwords/password-mails.js';
import { InvitationQuota } from './invitation-quota.js';
import { UserAccounts, type Account } from './ports.js';

/**
 * An account is created in a transaction of its own: invitations took 7 ms with an existing account, 11 ms without (medians, 2 cores), so that
 * one response revealed it. This delay hides the difference while the store commits in less.
 */
const ACCOUNT_MS = 100;

/**
 * Admits a person to a tenant by e-mail, for the context that owns memberships. Nothing that the caller gets shows whether there was an account:
 * all checks that may refuse come first and do not look. After a crash between the steps, repeating the invitation does what is missing: an
 * account without a membership is found by its e-mail, and the mail is sent each time.
 */
@Injectable()
export class Invitations {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly mails: PasswordMails,
    private readonly quota: InvitationQuota,
  ) {}

  /** Throws if no mail can be sent now, or the tenant has sent too many. */
  reserveMail(tenantId: string, email: string, by: Actor): void {
    this.mails.requireDelivery();
    for (const left of this.quota.take(tenantId, normalizeEmail(email))) by.onLimit?.(left);
  }

  /** The account with this e-mail, created without a password if there is none. Both take equally long, as far as possible. */
  async accountFor(email: string, by: Actor): Promise<Account> {
    const [account] = await Promise.all([this.findOrMake(email, by), pause(ACCOUNT_MS)]);
    return account;
  }

  /**
   * The consistency token of the response must not show that something was written. So the caller's actor is not notified of this write: it only
   * reads memberships, and is notified of their writes.
   */
  private async findOrMake(email: string, by: Actor): Promise<Account> {
    const known = await this.accounts.findByEmail(email);
    if (known) return known;
    const ref = { userId: newTimelessId('usr') };
    const silent: Actor = { ...by, onWritten: () => undefined };
    const account = {
      kind: 'human',
      email: normalizeEmail(email),
      name: defaultName(email),
      passwordHash: null,
    } as const;
    const creating = this.accounts.creating(account);
    try {
      await this.aggregates.change(creating, ref, silent, (state) => createUser(state, ref, 'human', true));
    } catch (error) {
      // Another request was faster.
      const other = isTaken(error) ? await this.accounts.findByEmail(email) : undefined;
      if (!other) throw error;
      return other;
    }
    return creating.stored!;
  }

  /** After the response: users without a password get a token to choose one, others are notified of their membership. */
  notify({ userId }: Account, tenantId: string): void {
    this.mails.invite(userId, tenantId);
  }
}

/** A global timer, which tests can hold. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isTaken = (error: unknown): boolean => error instanceof DomainError && error.code === 'email-taken';
