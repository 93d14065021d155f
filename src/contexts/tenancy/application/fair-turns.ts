import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Loop } from '../../../platform/jobs/loop.js';
import { Semaphore } from '../../../platform/limits/semaphore.js';
import { Metrics } from '../../../platform/telemetry/metrics.js';

const ADAPT_MS = 100;
/** Shares of the event loop's time: above the first there are fewer turns, below the second more. */
const BUSY = 0.9;
const RELAXED = 0.75;
const TURNS_MIN = 8;
const TURNS_MAX = 128;
/** A refused request costs next to nothing and could be repeated at once: its turn lasts longer, which slows down a storm of them. */
const REFUSED_MS = 200;

interface Queue {
  readonly line: Semaphore;
  /** Whether it has asked for anything since the last measurement. */
  active: boolean;
}

/** The right to be served, until it is given back. */
export class Turn {
  private over = false;

  constructor(private readonly line: Semaphore) {}

  end(): void {
    if (this.over) return;
    this.over = true;
    this.line.release();
  }

  /** Of a request that was too much (429). */
  endRefused(): void {
    setTimeout(() => this.end(), REFUSED_MS).unref();
  }
}

/**
 * Keeps one tenant's flood from slowing the others. While a single tenant is active it has the whole process; when several are and the
 * event loop is busy, each has a limited number of requests in service, the rest wait in the order in which they came. The number adapts
 * to the load, ten times a second. Waiting requests are not refused: operators that need a bound set the tenant's limits.
 *
 * Rejected: equal rates. They need a price for each kind of request, and a wrong one charges light tenants for what heavy ones used.
 */
@Injectable()
export class FairTurns implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly queues = new Map<string, Queue>();
  private limit = Infinity;
  private started = false;
  /** While several are active: how busy the event loop was at the last measurement. */
  private measured: EventLoopUtilization | undefined;
  /** A tenant that is alone has no limit, and an idle process is not woken. */
  private readonly watching = new Loop({
    name: 'fair-turns',
    restsFirst: true,
    every: () => (this.measured ? ADAPT_MS : Infinity),
    nudgeDelay: () => ADAPT_MS,
    runOnce: () => this.measure(),
  });

  constructor(private readonly metrics: Metrics) {}

  onApplicationBootstrap(): void {
    this.metrics.gauge(
      'event_store_requests_waiting',
      'Requests that wait for a turn of their tenant.',
      () => this.waiting,
    );
    this.started = true;
    this.watching.start();
  }

  onApplicationShutdown(): Promise<void> {
    this.started = false;
    this.setLimit(Infinity);
    return this.watching.close();
  }

  get waiting(): number {
    let count = 0;
    for (const queue of this.queues.values()) count += queue.line.waiting;
    return count;
  }

  /** At once where nothing is scarce. `owner` is a tenant, or a user where no tenant is concerned. */
  take(owner: string): Turn | Promise<Turn> {
    let queue = this.queues.get(owner);
    if (!queue) this.queues.set(owner, (queue = { line: new Semaphore(this.limit), active: true }));
    if (this.queues.size > 1 && this.started) this.watch();
    queue.active = true;
    const { line } = queue;
    return line.tryAcquire() ? new Turn(line) : line.wait().then(() => new Turn(line));
  }

  /** `utilization`: the share of the last tenth of a second that the event loop was at work. */
  adapt(utilization: number): void {
    let active = 0;
    let most = 0;
    for (const [owner, queue] of this.queues) {
      // What waits has something in service: the limit is never 0.
      if (queue.active || queue.line.acquired > 0) active++;
      else this.queues.delete(owner);
      queue.active = false;
      most = Math.max(most, queue.line.acquired);
    }
    const limit = Math.min(this.limit, TURNS_MAX);
    if (active < 2) this.setLimit(Infinity);
    else if (utilization > BUSY) this.setLimit(Math.max(TURNS_MIN, Math.floor(Math.min(limit, most) * 0.75)));
    else this.setLimit(utilization < RELAXED ? Math.min(limit + 1, TURNS_MAX) : limit);
  }

  private watch(): void {
    if (this.measured) return;
    this.measured = performance.eventLoopUtilization();
    this.watching.nudge();
  }

  private measure(): void {
    const now = performance.eventLoopUtilization();
    this.adapt(performance.eventLoopUtilization(now, this.measured).utilization);
    this.measured = this.queues.size < 2 ? undefined : now;
  }

  private setLimit(limit: number): void {
    this.limit = limit;
    for (const { line } of this.queues.values()) line.setLimit(limit);
  }
}
