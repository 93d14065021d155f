import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { usedUp } from '../../../kernel/limit-left.js';
import { Slots } from '../../../platform/limits/slots.js';
import { auditError, goOn } from '../domain/audit-errors.js';

const RETRY_AFTER_SECONDS = 5;
/** Of a tenant, and of a user. */
export const AUDIT_LIMIT = { policy: 'audit', quota: 1, unit: 'concurrent-requests' } as const;

export interface Slot {
  /** Aborted when whoever asked is gone, or the instance stops. */
  readonly signal: AbortSignal;
  leave(): void;
}

/** Whose slot it is: a tenant's and the user's who asks; for the audits of all tenants (`tenantId` undefined) the user's alone. */
export interface SlotHolder {
  readonly tenantId: string | undefined;
  readonly userId: string | null;
}

/**
 * Exports and verifications read as much as there is: only so many at once, and none longer than the one who asked is there. Each tenant
 * has one slot, and each user, whatever tenants he has, so that readers who are slow hold up nobody but themselves; those of the system are
 * apart, so that tenants, however many, never keep it from looking.
 */
@Injectable()
export class HeavyWork implements BeforeApplicationShutdown {
  private readonly ofTenants = new Room(4);
  private readonly ofSystem = new Room(2);

  beforeApplicationShutdown(): void {
    this.ofTenants.abort();
    this.ofSystem.abort();
  }

  /** Until `work` is settled. */
  async run<T>(holder: SlotHolder, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const slot = this.enter(holder, signal);
    try {
      return await work(slot.signal);
    } finally {
      slot.leave();
    }
  }

  /** Until `leave` is called, or the one who asked is gone. */
  enter({ tenantId, userId }: SlotHolder, asked: AbortSignal): Slot {
    goOn(asked);
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
        'An export or a verification of yours has not ended.',
        usedUp(AUDIT_LIMIT, RETRY_AFTER_SECONDS),
      );
    if (this.slots.inAll >= this.slotsMax)
      throw auditError('audit-busy', `This instance runs ${this.slotsMax} exports and verifications at once.`, {
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
