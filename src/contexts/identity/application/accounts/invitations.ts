import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../../kernel/aggregate.js';
import { DomainError } from '../../../../kernel/domain-error.js';
import { newTimelessId } from '../../../../kernel/ids.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { nameFrom, normalEmail } from '../../domain/email.js';
import { createUser } from '../../domain/user.js';
import { PasswordMails } from '../passwords/password-mails.js';
import { InvitationQuota } from './invitation-quota.js';
import { UserAccounts, type Account } from './ports.js';

/**
 * An account is made in a transaction of its own: invitations took 7 ms where there was one, 11 ms where there was none (medians, 2 cores),
 * which one answer told. This hides it while the store commits in less.
 */
const ACCOUNT_MS = 100;

/**
 * Lets somebody into a tenant by his e-mail, for the context that owns memberships. Whether there was an account is to be seen by nothing
 * that the caller gets: what may refuse comes first and does not look. After a crash between the steps the same invitation again does what
 * is missing: an account without a membership is found by its e-mail, and the mail is sent each time.
 */
@Injectable()
export class Invitations {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly mails: PasswordMails,
    private readonly quota: InvitationQuota,
  ) {}

  /** Throws where no mail can go out now, or the tenant has sent too many. */
  admit(tenantId: string, email: string, by: Actor): void {
    this.mails.require();
    for (const left of this.quota.take(tenantId, normalEmail(email))) by.onLimit?.(left);
  }

  /** The account with this e-mail; where there is none, one without a password is made. Either takes equally long, as far as can be. */
  async accountFor(email: string, by: Actor): Promise<Account> {
    const [account] = await Promise.all([this.findOrMake(email, by), pause(ACCOUNT_MS)]);
    return account;
  }

  /**
   * The consistency token of the answer must not tell that something was written, so that the caller's actor hears nothing of it: he reads
   * memberships, whose writes he does hear of.
   */
  private async findOrMake(email: string, by: Actor): Promise<Account> {
    const known = await this.accounts.findByEmail(email);
    if (known) return known;
    const ref = { userId: newTimelessId('usr') };
    const unheard: Actor = { ...by, onWritten: () => undefined };
    const account = { kind: 'human', email: normalEmail(email), name: nameFrom(email), passwordHash: null } as const;
    const creating = this.accounts.creating(account);
    try {
      await this.aggregates.change(creating, ref, unheard, (state) => createUser(state, ref, 'human', true));
    } catch (error) {
      // Somebody else was faster.
      const other = isTaken(error) ? await this.accounts.findByEmail(email) : undefined;
      if (!other) throw error;
      return other;
    }
    return creating.stored!;
  }

  /** Behind the answer: who has no password yet gets a token for one, others hear of their membership. */
  tell({ userId }: Account, tenantId: string): void {
    this.mails.invite(userId, tenantId);
  }
}

/** A global timer, which tests can hold. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isTaken = (error: unknown): boolean => error instanceof DomainError && error.code === 'email-taken';
