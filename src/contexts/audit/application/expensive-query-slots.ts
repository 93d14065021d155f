import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { exhaustedLimit } from '../../../kernel/limit-left.js';
import { Slots } from '../../../platform/limits/slots.js';
import { auditError, throwIfStopped } from '../domain/audit-errors.js';

const RETRY_AFTER_SECONDS = 5;
/** For each tenant, and for each user. */
export const AUDIT_LIMIT = { policy: 'audit', quota: 1, unit: 'concurrent-requests' } as const;

export interface Slot {
  /** Aborted when the client is gone or the instance stops. */
  readonly signal: AbortSignal;
  leave(): void;
}

/** Who holds a slot: a tenant and the requesting user; for the audits of all tenants (`tenantId` undefined) the user alone. */
export interface SlotHolder {
  readonly tenantId: string | undefined;
  readonly userId: string | null;
}

/**
 * Exports and verifications read whole audits: only a few run at once, and each ends when its client disconnects. Each tenant has one slot,
 * and so has each user across all tenants, so that slow readers delay only themselves. Slots for all tenants together are separate, so that
 * no number of tenants keeps system administrators from reading.
 */
@Injectable()
export class ExpensiveQuerySlots implements BeforeApplicationShutdown {
  private readonly ofTenants = new Room(4);
  private readonly ofSystem = new Room(2);

  beforeApplicationShutdown(): void {
    this.ofTenants.abort();
    this.ofSystem.abort();
  }

  /** Holds a slot until `work` is settled. */
  async run<T>(holder: SlotHolder, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const slot = this.enter(holder, signal);
    try {
      return await work(slot.signal);
    } finally {
      slot.leave();
    }
  }

  /** Holds a slot until `leave` is called or the client is gone. */
  enter({ tenantId, userId }: SlotHolder, asked: AbortSignal): Slot {
    throwIfStopped(asked);
    const user = `user ${userId}`;
    return tenantId === undefined
      ? this.ofSystem.enter([user], asked)
      : this.ofTenants.enter([`tenant ${tenantId}`, user], asked);
  }
}

class Room {
  private readonly slots = new Slots();
  private readonly open = new Set<AbortController>();

  constructor(private readonly slotsMax: number) {}

  abort(): void {
    for (const controller of this.open) controller.abort();
  }

  enter(holders: readonly string[], asked: AbortSignal): Slot {
    if (holders.some((holder) => this.slots.of(holder) > 0))
      throw auditError(
        'audit-under-way',
        'Another export or verification of this tenant or user is still running.',
        exhaustedLimit(AUDIT_LIMIT, RETRY_AFTER_SECONDS),
      );
    if (this.slots.inAll >= this.slotsMax)
      throw auditError('audit-busy', `This instance already runs ${this.slotsMax} exports and verifications.`, {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    const controller = new AbortController();
    const giveBack = this.slots.take(...holders);
    const leave = (): void => {
      giveBack();
      this.open.delete(controller);
    };
    this.open.add(controller);
    asked.addEventListener('abort', leave, { once: true });
    return { signal: AbortSignal.any([asked, controller.signal]), leave };
  }
}
