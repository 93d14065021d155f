import type { Counter } from 'prom-client';

export class PublishMetrics {
  constructor(
    private readonly events: Counter,
    private readonly duplicates: Counter,
  ) {}

  published(fresh: number, repeated: number): void {
    this.events.inc(fresh);
    if (repeated > 0) this.duplicates.inc(repeated);
  }
}
