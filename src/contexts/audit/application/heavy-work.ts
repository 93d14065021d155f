import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { auditError, goOn } from '../domain/audit-errors.js';

const RETRY_AFTER_SECONDS = 5;

export interface Slot {
  /** Aborted when whoever asked is gone, or the instance stops. */
  readonly signal: AbortSignal;
  leave(): void;
}

/** Whose slot it is: a tenant's, of which each has one, or, for the audits of all tenants (`tenantId` undefined), that of the user who asks. */
export interface SlotHolder {
  readonly tenantId: string | undefined;
  readonly userId: string | null;
}

/**
 * Exports and verifications read as much as there is: only so many at once, and none longer than the one who asked is there. Each holder
 * has one slot, so that readers who are slow hold up nobody but themselves; those of the system are apart, so that tenants, however many,
 * never keep it from looking.
 */
@Injectable()
export class HeavyWork implements BeforeApplicationShutdown {
  private readonly ofTenants = new Slots(4);
  private readonly ofSystem = new Slots(2);

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
    return tenantId === undefined ? this.ofSystem.enter(userId ?? '', asked) : this.ofTenants.enter(tenantId, asked);
  }
}

class Slots {
  private readonly open = new Map<string, AbortController>();

  constructor(private readonly slotsMax: number) {}

  abort(): void {
    for (const controller of this.open.values()) controller.abort();
  }

  enter(holder: string, asked: AbortSignal): Slot {
    const extensions = { retryAfterSeconds: RETRY_AFTER_SECONDS };
    if (this.open.has(holder))
      throw auditError('audit-under-way', 'An export or a verification of yours has not ended.', extensions);
    if (this.open.size >= this.slotsMax)
      throw auditError(
        'audit-busy',
        `This instance runs ${this.slotsMax} exports and verifications at once.`,
        extensions,
      );
    const controller = new AbortController();
    const leave = (): void => {
      if (this.open.get(holder) === controller) this.open.delete(holder);
    };
    this.open.set(holder, controller);
    asked.addEventListener('abort', leave, { once: true });
    return { signal: AbortSignal.any([asked, controller.signal]), leave };
  }
}
