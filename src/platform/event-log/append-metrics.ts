import type { Histogram } from 'prom-client';

export class AppendMetrics {
  constructor(
    private readonly duration: Histogram,
    private readonly batch: Histogram,
  ) {}

  flushed(durationMs: number, events: number): void {
    this.duration.observe(durationMs / 1_000);
    this.batch.observe(events);
  }
}
