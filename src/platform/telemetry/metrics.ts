import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, register } from 'prom-client';

/** Consumers that get a series of their own; beyond that only the totals tell of them. */
export const LAG_SERIES_MAX = 1_000;

const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type DeliveryOutcome = 'delivered' | 'failed' | 'refused' | 'timeout';

export interface ConsumerLag {
  readonly tenant: string;
  readonly namespace: string;
  readonly consumer: string;
  readonly topic: string;
  readonly events: number;
}

/** All metrics by name. Gauges are read from memory when they are scraped; none looks into a table. */
@Injectable()
export class Metrics {
  private readonly eventsPublished: Counter;
  private readonly duplicates: Counter;
  private readonly refusals: Counter<'code'>;
  private readonly appends: Histogram;
  private readonly appendBatch: Histogram;
  private readonly deliveries: Counter<'outcome'>;
  private readonly deliverySeconds: Histogram;
  private readonly gaps: Counter<'kind'>;
  private readonly auditFaults: Counter<'kind'>;
  private readonly sagaFailures: Counter<'name'>;
  private readonly requests: Histogram<'method' | 'route' | 'status'>;
  /** What names tenants and what is theirs: not for everybody who may see the rest. */
  private readonly naming = new Registry();

  constructor(private readonly registry: Registry = register) {
    const registers = [registry];
    this.eventsPublished = new Counter({
      name: 'event_store_events_published_total',
      help: 'Events stored.',
      registers,
    });
    this.duplicates = new Counter({
      name: 'event_store_events_duplicate_total',
      help: 'Events that were stored before.',
      registers,
    });
    this.refusals = new Counter({
      name: 'event_store_requests_refused_total',
      help: 'Requests that were answered by a problem, by its code.',
      labelNames: ['code'],
      registers,
    });
    this.appends = new Histogram({
      name: 'event_store_append_duration_seconds',
      help: 'From taking a batch off the queue to its commit.',
      buckets: LATENCY_SECONDS,
      registers,
    });
    this.appendBatch = new Histogram({
      name: 'event_store_append_batch_events',
      help: 'Events stored by one flush.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000],
      registers,
    });
    this.deliveries = new Counter({
      name: 'event_store_delivery_attempts_total',
      help: 'Attempts to deliver, by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.deliverySeconds = new Histogram({
      name: 'event_store_delivery_duration_seconds',
      help: 'Duration of one attempt.',
      buckets: LATENCY_SECONDS,
      registers,
    });
    this.gaps = new Counter({
      name: 'event_store_delivery_gaps_total',
      help: 'Places of consumers that did not exist any more.',
      labelNames: ['kind'],
      registers,
    });
    this.auditFaults = new Counter({
      name: 'event_store_audit_faults_total',
      help: 'Audit records that were lost, and chains that are broken.',
      labelNames: ['kind'],
      registers,
    });
    this.sagaFailures = new Counter({
      name: 'event_store_saga_failures_total',
      help: 'What sagas, their commands or durable subscriptions did not get done at once, by name.',
      labelNames: ['name'],
      registers,
    });
    this.requests = new Histogram({
      name: 'event_store_http_request_duration_seconds',
      help: 'From the request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: LATENCY_SECONDS,
      registers,
    });
  }

  published(fresh: number, repeated: number): void {
    this.eventsPublished.inc(fresh);
    if (repeated > 0) this.duplicates.inc(repeated);
  }

  refused(code: string): void {
    this.refusals.inc({ code });
  }

  flushed(durationMs: number, events: number): void {
    this.appends.observe(durationMs / 1_000);
    this.appendBatch.observe(events);
  }

  attempted(outcome: DeliveryOutcome, durationMs: number): void {
    this.deliveries.inc({ outcome });
    this.deliverySeconds.observe(durationMs / 1_000);
  }

  gap(kind: string): void {
    this.gaps.inc({ kind });
  }

  auditFault(kind: 'queue-full' | 'write-failed' | 'chain-broken' | 'retention-rewritten', count = 1): void {
    this.auditFaults.inc({ kind }, count);
  }

  sagaFailed(name: string): void {
    this.sagaFailures.inc({ name });
  }

  request(method: string, route: string, status: string, durationMs: number): void {
    this.requests.observe({ method, route, status }, durationMs / 1_000);
  }

  /** A value that is looked up in memory when it is scraped. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    this.registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  /** As text for Prometheus, to be added to the rest. */
  named(): Promise<string> {
    return this.naming.metrics();
  }

  /** Lag by consumer and topic, the most lagging first where there are too many. */
  lags(read: () => Promise<ConsumerLag[]>): void {
    const name = 'event_store_consumer_lag_events';
    this.naming.removeSingleMetric(name);
    new Gauge({
      name,
      help: 'Events between the place of a consumer and the end of its topic.',
      labelNames: ['tenant', 'namespace', 'consumer', 'topic'],
      registers: [this.naming],
      async collect() {
        const lags = (await read()).toSorted((a, b) => b.events - a.events);
        this.reset();
        for (const { events, ...labels } of lags.slice(0, LAG_SERIES_MAX)) this.set(labels, events);
      },
    });
  }
}
