import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { DELIVERY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { Tails } from '../../../platform/event-log/index.js';
import { Metrics, type ConsumerLag } from '../../../platform/telemetry/metrics.js';
import { DeliveryEngine } from './delivery-engine.js';
import { DeliveryReport } from './delivery-report.js';
import type { Lane } from './lane.js';
import { Membership } from './membership.js';

const CONSUMERS_LOG = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };
const RETRY_MS = 1_000;

/** Runs the engine: beats its heart, and tells it what happens to consumers. */
@Injectable()
export class DeliveryWorker {
  private readonly stop = new AbortController();
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly engine: DeliveryEngine,
    private readonly membership: Membership,
    private readonly tails: Tails,
    private readonly metrics: Metrics,
    private readonly report: DeliveryReport,
    @Inject(DELIVERY_SETTINGS) private readonly settings: Settings['delivery'],
  ) {}

  /** Changes from before the claim are in the read model, those from after it come by the log: none is missed in between. */
  async start(): Promise<void> {
    this.publishMetrics();
    const tail = await this.tails.follow(CONSUMERS_LOG);
    const position = tail.head;
    this.tails.unfollow(tail);
    await this.engine.start();
    this.loops.push(
      this.every(() => this.membership.beat()),
      this.every(() => this.engine.tick()),
      this.followConsumers(position),
    );
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.loops);
    await this.engine.close();
  }

  /** Beats on their own: a tick may have much to begin, and must not be taken for dead meanwhile. */
  private async every(work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await pause(this.settings.heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await work().catch((error: unknown) => this.report.engineFailed(error, 'heartbeat'));
    }
  }

  private async followConsumers(from: number): Promise<void> {
    const { signal } = this.stop;
    let position = from;
    while (!signal.aborted) {
      try {
        position = await this.readOn(position, signal);
      } catch (error) {
        this.report.engineFailed(error, 'changes of consumers');
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async readOn(position: number, signal: AbortSignal): Promise<number> {
    const tail = await this.tails.follow(CONSUMERS_LOG);
    try {
      const page = await tail.read(position);
      if (page.length > 0) await this.engine.consumersChanged(page);
      else await tail.waitBeyond(position, signal);
      return page.at(-1)?.position ?? position;
    } finally {
      this.tails.unfollow(tail);
    }
  }

  private publishMetrics(): void {
    const lanes = (): Lane[] => [...this.engine.running];
    const sum = (read: (lane: Lane) => number) => (): number => lanes().reduce((total, lane) => total + read(lane), 0);
    this.metrics.gauge('event_store_delivery_lanes', 'Lanes that this instance runs.', () => this.engine.runningCount);
    this.metrics.gauge(
      'event_store_delivery_in_flight',
      'Attempts under way.',
      sum((lane) => lane.inFlight),
    );
    this.metrics.gauge(
      'event_store_delivery_lag_events',
      'Events that wait for delivery, all lanes together.',
      sum((lane) => lane.lag ?? 0),
    );
    this.metrics.gauge(
      'event_store_delivery_lanes_blocked',
      'Lanes whose retries are used up.',
      sum((lane) => Number(lane.state.failure?.blocked ?? false)),
    );
    this.metrics.lags(() => lanes().map(lagOf));
  }
}

function lagOf(lane: Lane): ConsumerLag {
  const { tenantId, namespaceId, consumerId } = lane.target.consumer;
  return { tenant: tenantId, namespace: namespaceId, consumer: consumerId, topic: lane.topicId, events: lane.lag ?? 0 };
}
