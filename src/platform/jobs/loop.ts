export interface LoopOptions {
  /** The label in metrics, which combine loops of the same name. */
  readonly name: string;
  /** Milliseconds between two runs, evaluated after each; Infinity: until it is nudged. */
  readonly every: number | (() => number);
  /** Returns true if there is more to do: then the next run follows at once. */
  readonly runOnce: (signal: AbortSignal) => unknown;
  /** Called once for each failed run, except for runs that fail because the loop is closed. Failures are counted in any case. */
  readonly onError?: (error: unknown) => void;
  /** Rests after failures, each twice as long as the one before; without it `every`. A loop that only runs when nudged needs it. */
  readonly backOff?: { readonly minMs: number; readonly maxMs: number };
  /** Whether it begins with a rest instead of a run. */
  readonly restsFirst?: boolean;
  /** How long a run after a nudge is delayed, so that it serves later nudges as well. */
  readonly nudgeDelay?: () => number;
}

/**
 * Background work at intervals, or when nudged, one run at a time:
 *
 *   start ──▶ run ─── there is more ──▶ run
 *              ├───── succeeded ──────▶ rest (`every`), shortened by a nudge ──▶ run
 *              └───── failed ─────────▶ rest (`backOff`, which no nudge shortens; `every` without it) ──▶ run
 *   close ──▶ aborts the run in progress and waits for it
 *
 * Nudges during a run lead to one run after it. Nothing here keeps the process alive.
 */
export class Loop {
  /** For metrics: the loops of this process that are started and not closed, and the number of failed runs by name. */
  static readonly running = new Set<Loop>();
  static readonly failures = new Map<string, number>();

  private readonly stop = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private underWay: Promise<void> | undefined;
  private ended = Promise.withResolvers<void>();
  private nudged = false;
  private failedInARow = 0;
  /** All work that was due until then is done. */
  private upToDateAt = 0;

  constructor(private readonly options: LoopOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Since the last run that succeeded; 0 while there is nothing to do. */
  get ageMs(): number {
    return this.isIdle ? 0 : performance.now() - this.upToDateAt;
  }

  start(): void {
    if (this.stop.signal.aborted || Loop.running.has(this)) return;
    Loop.running.add(this);
    Loop.failures.set(this.name, Loop.failures.get(this.name) ?? 0);
    this.upToDateAt = performance.now();
    if (this.options.restsFirst) this.rest();
    else this.run();
  }

  /** There is something to do. */
  nudge(): void {
    if (this.nudged) return;
    this.nudged = true;
    if (!Loop.running.has(this) || this.underWay || this.backsOff) return;
    if (this.isIdle) this.upToDateAt = performance.now();
    this.rest();
  }

  async close(): Promise<void> {
    this.stop.abort();
    clearTimeout(this.timer);
    Loop.running.delete(this);
    await this.underWay;
  }

  /** For tests: resolves when a run that begins from now on has ended, successfully or not. */
  async afterNextRun(): Promise<void> {
    if (this.underWay) await this.ended.promise;
    await this.ended.promise;
  }

  private get backsOff(): boolean {
    return this.failedInARow > 0 && this.options.backOff !== undefined;
  }

  private get isIdle(): boolean {
    return !this.underWay && !this.timer;
  }

  private run(): void {
    this.timer = undefined;
    this.nudged = false;
    this.underWay = this.attempt().then((more) => this.runEnded(more));
  }

  private async attempt(): Promise<boolean> {
    const { signal } = this.stop;
    try {
      const more = await this.options.runOnce(signal);
      this.failedInARow = 0;
      this.upToDateAt = performance.now();
      return more === true;
    } catch (error) {
      if (!signal.aborted) this.failed(error);
      return false;
    }
  }

  private runEnded(more: boolean): void {
    this.underWay = undefined;
    this.ended.resolve();
    this.ended = Promise.withResolvers();
    if (this.stop.signal.aborted) return;
    if (more) this.run();
    else this.rest();
  }

  private failed(error: unknown): void {
    this.failedInARow++;
    Loop.failures.set(this.name, Loop.failures.get(this.name)! + 1);
    this.options.onError?.(error);
  }

  private rest(): void {
    clearTimeout(this.timer);
    const ms = this.restMs();
    this.timer = ms === Infinity ? undefined : setTimeout(() => this.run(), ms).unref();
  }

  private restMs(): number {
    const { every, backOff, nudgeDelay } = this.options;
    if (this.failedInARow > 0 && backOff) return Math.min(backOff.minMs * 2 ** (this.failedInARow - 1), backOff.maxMs);
    if (this.nudged) return nudgeDelay?.() ?? 0;
    return typeof every === 'number' ? every : every();
  }
}
