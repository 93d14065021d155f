import { randomUUID } from 'node:crypto';
import type { LaneStore, WorkerBeat } from './ports.js';

export interface MembershipOptions {
  /** A worker whose beat has not changed for this long is dead. */
  readonly ttlMs: number;
  /** No other worker can be alive: this is the only process on its store. */
  readonly alone: boolean;
}

/**
 * Which workers are alive, as this one sees it: each counts up its beats in the store, and one whose count does not change for `ttlMs` on
 * OUR clock is dead. No clock is compared with another, so skew cannot make two owners; an owner that could not beat for `ttlMs` must
 * consider itself dead, too, and rejoins under a new id.
 */
export class Membership {
  workerId: string = randomUUID();
  private readonly seen = new Map<string, { beat: number; at: number }>();
  /** When the last confirmed beat was sent: what others have seen of it is no older. */
  private lastBeatAt = performance.now();
  private lapsed = false;
  private timer: NodeJS.Timeout | undefined;

  /** Called as soon as others may consider us dead, also while the store does not respond. */
  onLapse: () => void = () => undefined;
  /** Called with each confirmed beat: for this many milliseconds from now others consider us alive. */
  onRenewed: (ms: number) => void = () => undefined;

  constructor(
    private readonly store: LaneStore,
    private readonly options: MembershipOptions,
  ) {}

  /** Returns the live workers, whose lanes must not be taken. */
  async beat(): Promise<string[]> {
    const { workerId } = this;
    const sentAt = performance.now();
    const workers = await this.store.beat(workerId);
    const now = performance.now();
    // While this worker was held up, it did not look at the others: that their beats did not change says nothing.
    const heldUp = now - this.lastBeatAt > this.options.ttlMs;
    if (heldUp) for (const seen of this.seen.values()) seen.at = now;
    if (heldUp && workerId === this.workerId) this.lapse();
    this.lastBeatAt = Math.max(sentAt, this.lastBeatAt);
    this.arm();
    const dead = this.deadAmong(workers, now);
    if (dead.length > 0) await this.store.forgetWorkers(dead);
    return workers.map(({ workerId: id }) => id).filter((id) => !dead.includes(id));
  }

  /** True: others may have taken our lanes by now. */
  get expired(): boolean {
    return this.lapsed || performance.now() - this.lastBeatAt > this.options.ttlMs;
  }

  /** Others may consider us dead: the next tick gives up our lanes and claims again. */
  lapse(): void {
    if (this.lapsed) return;
    this.lapsed = true;
    this.onLapse();
  }

  /** Starts again under a new id; the lanes of the old one are free for any worker, also for us. */
  rejoin(): void {
    this.workerId = randomUUID();
    this.lastBeatAt = performance.now();
    this.lapsed = false;
    this.arm();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private deadAmong(workers: readonly WorkerBeat[], now: number): string[] {
    const dead: string[] = [];
    for (const { workerId, beat } of workers) {
      const before = this.seen.get(workerId);
      if (before?.beat !== beat) this.seen.set(workerId, { beat, at: now });
      else if (workerId !== this.workerId && now - before.at > this.options.ttlMs) dead.push(workerId);
      if (this.options.alone && workerId !== this.workerId && !dead.includes(workerId)) dead.push(workerId);
    }
    for (const workerId of dead) this.seen.delete(workerId);
    return dead;
  }

  private arm(): void {
    clearTimeout(this.timer);
    const heldMs = this.lastBeatAt + this.options.ttlMs - performance.now();
    this.timer = setTimeout(() => this.lapse(), heldMs).unref();
    if (!this.lapsed) this.onRenewed(heldMs);
  }
}
