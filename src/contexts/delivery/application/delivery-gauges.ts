import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { DeliveryEngine } from './delivery-engine.js';
import { LaneRunner, type LaneFigures, type RunningLane } from './ports.js';

/** Consumers with their own series; any more are only in the totals. */
const LAG_SERIES_MAX = 1_000;

type Seen = readonly [RunningLane, LaneFigures];

/** Gauges that read the lanes on each scrape, wherever they run. */
@Injectable()
export class DeliveryGauges {
  private looking: Promise<Seen[]> | undefined;

  constructor(
    private readonly engine: DeliveryEngine,
    private readonly runner: LaneRunner,
    private readonly metrics: Metrics,
  ) {}

  publish(): void {
    const { engine, metrics } = this;
    const total = async (read: (figures: LaneFigures) => number): Promise<number> =>
      (await this.figures()).reduce((sum, [, figures]) => sum + read(figures), 0);
    metrics.gauge('event_store_delivery_lanes', 'Lanes that this instance runs.', () => engine.runningCount);
    metrics.gauge('event_store_delivery_in_flight', 'Attempts under way.', () => total(({ inFlight }) => inFlight));
    metrics.gauge('event_store_delivery_lag_events', 'Events that wait for delivery, all lanes together.', () =>
      total(({ lag }) => lag),
    );
    metrics.gauge('event_store_delivery_lanes_blocked', 'Lanes whose retries are used up.', () =>
      [...engine.running].reduce((sum, { state }) => sum + Number(state.failure?.blocked ?? false), 0),
    );
    this.publishLags();
  }

  /** By consumer and topic; if there are too many, those with the largest lag. */
  private publishLags(): void {
    const lags = async (): Promise<Seen[]> => (await this.figures()).toSorted(([, a], [, b]) => b.lag - a.lag);
    new Gauge({
      name: 'event_store_consumer_lag_events',
      help: 'Events between the place of a consumer and the end of its topic.',
      labelNames: ['tenant', 'namespace', 'consumer', 'topic'],
      registers: [this.metrics.naming],
      async collect() {
        const most = (await lags()).slice(0, LAG_SERIES_MAX);
        this.reset();
        for (const [lane, { lag }] of most) this.set(namesOf(lane), lag);
      },
    });
  }

  /** One look-up for all concurrent callers. */
  private figures(): Promise<Seen[]> {
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async look(): Promise<Seen[]> {
    const lanes = [...this.engine.running];
    const figures = await this.runner.figures(lanes);
    return lanes.map((lane, i) => [lane, figures[i]!]);
  }
}

function namesOf({ consumer, topicId }: RunningLane): Record<'tenant' | 'namespace' | 'consumer' | 'topic', string> {
  const { tenantId, namespaceId, consumerId } = consumer;
  return { tenant: tenantId, namespace: namespaceId, consumer: consumerId, topic: topicId };
}
