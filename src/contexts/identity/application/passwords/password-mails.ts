import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../kernel/clock.js';
import { HTTP_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { digest } from '../../../../platform/crypto/keys.js';
import { Outbox, type Mail } from '../../../../platform/mail/index.js';
import { identityError } from '../../domain/identity-errors.js';
import { UserAccounts, type Account } from '../accounts/ports.js';
import { invitationMail, membershipMail, resetMail } from './mails.js';

const RESET_MS = 30 * 60_000;
const INVITATION_MS = 7 * 24 * 3_600_000;
const QUEUE_RETRY_SECONDS = 60;
const TOKEN = /^epr_[\w-]{43}$/;

/** Undefined: it is not a token of such a mail. */
export const resetDigestOf = (token: string): string | undefined => (TOKEN.test(token) ? digest(token) : undefined);

/** A token that a stranger has asked for lives half an hour in any case, so that it never outlives an invitation. */
const livesMs = ({ passwordHash }: Account): number => (passwordHash === null ? INVITATION_MS : RESET_MS);

/** Mails with a token for a new password, or for the first one. */
@Injectable()
export class PasswordMails {
  private readonly publicUrl: string;

  constructor(
    private readonly accounts: UserAccounts,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    @Inject(HTTP_SETTINGS) { publicUrl, host, port }: Settings['http'],
  ) {
    this.publicUrl = publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** The account with this e-mail, if any, is looked up after the response. */
  sendIfKnown(email: string): void {
    this.outbox.add(async () => {
      const account = await this.accounts.findByEmail(email);
      return account?.state === 'active' ? this.prepare(account, RESET_MS) : undefined;
    });
  }

  send(account: Account): void {
    this.outbox.add(() => this.prepare(account, livesMs(account)));
  }

  /** To a tenant. Users without a password get a token to choose one. */
  invite(userId: string, tenantId: string): void {
    this.outbox.add(async () => {
      const account = await this.accounts.find(userId);
      if (account?.state !== 'active') return undefined;
      const { email: to, passwordHash } = account;
      return passwordHash === null
        ? this.prepare(account, INVITATION_MS, tenantId)
        : membershipMail({ to: to!, publicUrl: this.publicUrl, tenantId });
    });
  }

  /** Throws if a mail would reach no one. */
  requireDelivery(): void {
    if (!this.outbox.delivers)
      throw identityError('mail-not-configured', 'The user cannot be notified by mail: MAIL_URL is not set.');
    if (this.outbox.isFull)
      throw identityError('mail-queue-full', 'Too many mails are waiting to be sent; try again later.', {
        retryAfterSeconds: QUEUE_RETRY_SECONDS,
      });
  }

  /**
   * The token is created together with the mail, and its lifetime starts then; earlier tokens stay. Undefined: the account is not active any
   * more, or has another e-mail, so that the owner of the old one gets nothing.
   */
  private async prepare(
    { userId, email, passwordHash }: Account,
    forMs: number,
    tenantId?: string,
  ): Promise<Mail | undefined> {
    const token = `epr_${randomBytes(32).toString('base64url')}`;
    const createdAt = this.clock.now();
    const expiresAt = createdAt + forMs;
    const reset = { userId, digest: digest(token), createdAt, expiresAt };
    if (!(await this.accounts.storeReset(reset, email!))) return undefined;
    const letter = { to: email!, token, expiresAt, publicUrl: this.publicUrl, tenantId };
    return passwordHash === null ? invitationMail(letter) : resetMail(letter);
  }
}
