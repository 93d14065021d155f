import { randomUUID } from 'node:crypto';
import type { LaneStore } from './ports.js';

export interface MembershipOptions {
  /** A worker whose beat has not changed for so long is dead. */
  readonly ttlMs: number;
  /** No other worker can be alive: it is the only process on its store. */
  readonly alone: boolean;
}

/**
 * Which workers are alive, as this one sees it: each counts its beats up in the store, and one whose count stands still for `ttlMs` on
 * OUR clock is dead. No clock is compared with another, so skew cannot make two owners; an owner that could not beat for `ttlMs` must
 * take itself for dead too, and comes back under a new id.
 */
export class Membership {
  workerId: string = randomUUID();
  private readonly seen = new Map<string, { beat: number; at: number }>();
  private lastBeatAt = performance.now();

  constructor(
    private readonly store: LaneStore,
    private readonly options: MembershipOptions,
  ) {}

  /** The workers whose lanes are not to be touched. */
  async beat(): Promise<string[]> {
    const workers = await this.store.beat(this.workerId);
    const now = performance.now();
    this.lastBeatAt = now;
    const dead: string[] = [];
    for (const { workerId, beat } of workers) {
      const before = this.seen.get(workerId);
      if (before?.beat !== beat) this.seen.set(workerId, { beat, at: now });
      else if (workerId !== this.workerId && now - before.at > this.options.ttlMs) dead.push(workerId);
      if (this.options.alone && workerId !== this.workerId && !dead.includes(workerId)) dead.push(workerId);
    }
    if (dead.length > 0) await this.store.forgetWorkers(dead);
    for (const workerId of dead) this.seen.delete(workerId);
    return workers.map(({ workerId }) => workerId).filter((workerId) => !dead.includes(workerId));
  }

  /** True: others may have taken our lanes by now. */
  get expired(): boolean {
    return performance.now() - this.lastBeatAt > this.options.ttlMs;
  }

  /** Begins anew; the old id's lanes are free for anybody, also for us. */
  rejoin(): void {
    this.workerId = randomUUID();
    this.lastBeatAt = performance.now();
  }
}
