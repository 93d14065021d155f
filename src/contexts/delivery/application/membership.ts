import { randomUUID } from 'node:crypto';
import type { LaneStore, WorkerBeat } from './ports.js';

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
  /** When the last beat that was answered was sent: what others have seen of it is no older. */
  private lastBeatAt = performance.now();
  private lapsed = false;
  private timer: NodeJS.Timeout | undefined;

  /** Called as soon as others may take us for dead, also while the store does not answer. */
  onLapse: () => void = () => undefined;
  /** Called when it is known anew until when we are not taken for dead: for so many milliseconds from now. */
  onHeld: (ms: number) => void = () => undefined;

  constructor(
    private readonly store: LaneStore,
    private readonly options: MembershipOptions,
  ) {}

  /** The workers whose lanes are not to be touched. */
  async beat(): Promise<string[]> {
    const { workerId } = this;
    const sentAt = performance.now();
    const workers = await this.store.beat(workerId);
    const now = performance.now();
    // Who was held up himself has not looked at the others for so long: that they did not move says nothing.
    const heldUp = now - this.lastBeatAt > this.options.ttlMs;
    if (heldUp) for (const seen of this.seen.values()) seen.at = now;
    if (heldUp && workerId === this.workerId) this.lapse();
    this.lastBeatAt = Math.max(sentAt, this.lastBeatAt);
    this.arm();
    const dead = this.judge(workers, now);
    if (dead.length > 0) await this.store.forgetWorkers(dead);
    return workers.map(({ workerId: id }) => id).filter((id) => !dead.includes(id));
  }

  /** True: others may have taken our lanes by now. */
  get expired(): boolean {
    return this.lapsed || performance.now() - this.lastBeatAt > this.options.ttlMs;
  }

  /** Others may take us for dead, or may have: what is ours is given up with the next look, and claimed anew. */
  lapse(): void {
    if (this.lapsed) return;
    this.lapsed = true;
    this.onLapse();
  }

  /** Begins anew; the old id's lanes are free for anybody, also for us. */
  rejoin(): void {
    this.workerId = randomUUID();
    this.lastBeatAt = performance.now();
    this.lapsed = false;
    this.arm();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private judge(workers: readonly WorkerBeat[], now: number): string[] {
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
    if (!this.lapsed) this.onHeld(heldMs);
  }
}
