import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { auditError, goOn } from '../domain/audit-errors.js';

const SLOTS = 4;

export interface Slot {
  /** Aborted when whoever asked is gone, or the instance stops. */
  readonly signal: AbortSignal;
  leave(): void;
}

/** Exports and verifications read as much as there is: only so many at once, and none longer than the one who asked is there. */
@Injectable()
export class HeavyWork implements BeforeApplicationShutdown {
  private readonly open = new Set<AbortController>();

  beforeApplicationShutdown(): void {
    for (const controller of this.open) controller.abort();
  }

  /** Until `work` is settled. */
  async run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const slot = this.enter(signal);
    try {
      return await work(slot.signal);
    } finally {
      slot.leave();
    }
  }

  /** Until `leave` is called, or the one who asked is gone. */
  enter(asked: AbortSignal): Slot {
    goOn(asked);
    if (this.open.size >= SLOTS) {
      throw auditError('audit-busy', `This instance runs ${SLOTS} exports and verifications at once.`, {
        retryAfterSeconds: 5,
      });
    }
    const controller = new AbortController();
    const leave = (): void => void this.open.delete(controller);
    this.open.add(controller);
    asked.addEventListener('abort', leave, { once: true });
    return { signal: AbortSignal.any([asked, controller.signal]), leave };
  }
}
