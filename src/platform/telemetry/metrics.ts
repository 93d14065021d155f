import { Injectable } from '@nestjs/common';
import { Gauge, Registry, register } from 'prom-client';

/** Buckets of all durations. */
export const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The registries. Counters and histograms are declared by the context that counts, by providers of @willsoto/nestjs-prometheus; gauges by
 * `gauge`, since they read a value of their owner from memory when they are scraped. None queries a table.
 */
@Injectable()
export class Metrics {
  /** Metrics with names of tenants and their resources: not for all readers of the rest. */
  readonly naming = new Registry();

  constructor(private readonly registry: Registry = register) {}

  /** A value that is read from memory when it is scraped. */
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
}
