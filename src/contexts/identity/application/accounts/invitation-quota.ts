import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../kernel/clock.js';
import { identityError } from '../../domain/identity-errors.js';
import { exhaustedLimit, type LimitLeft } from '../../../../kernel/limit-left.js';
import { leftOf, Windows } from '../../../../platform/limits/window.js';

const WINDOW_MS = 3_600_000;
const PER_TENANT = 100;
const PER_RECIPIENT = 3;
const OF_TENANT = { policy: 'invitations', quota: PER_TENANT, windowSeconds: WINDOW_MS / 1_000 };
const OF_RECIPIENT = { policy: 'invitations-recipient', quota: PER_RECIPIENT, windowSeconds: WINDOW_MS / 1_000 };

/**
 * How many mails a tenant can have sent: a hundred invitations an hour, three of them to one e-mail. This bounds how many accounts a tenant
 * creates, and how often it mails people in the name of the installation. Each tenant is counted separately, so that none learns what another
 * has sent. Counts are in the memory of each instance.
 */
@Injectable()
export class InvitationQuota {
  private readonly byTenant: Windows;
  private readonly byRecipient: Windows;

  constructor(clock: Clock) {
    this.byTenant = new Windows(clock, WINDOW_MS);
    this.byRecipient = new Windows(clock, WINDOW_MS);
  }

  /** Throws `invitation-throttled`, or counts one more and returns what is left. */
  take(tenantId: string, email: string): LimitLeft[] {
    const recipient = `${tenantId} ${email}`;
    if (this.byRecipient.count(recipient) >= PER_RECIPIENT)
      throw throttled(`${PER_RECIPIENT} invitations to one e-mail`, OF_RECIPIENT, this.byRecipient.leftMs(recipient));
    if (this.byTenant.count(tenantId) >= PER_TENANT)
      throw throttled(`${PER_TENANT} invitations`, OF_TENANT, this.byTenant.leftMs(tenantId));
    this.byRecipient.add(recipient);
    this.byTenant.add(tenantId);
    return [leftOf(OF_TENANT, this.byTenant, tenantId), leftOf(OF_RECIPIENT, this.byRecipient, recipient)];
  }
}

const throttled = (most: string, limit: typeof OF_TENANT, waitMs: number): Error =>
  identityError(
    'invitation-throttled',
    `A tenant sends at most ${most} an hour.`,
    exhaustedLimit(limit, waitMs / 1_000),
  );
