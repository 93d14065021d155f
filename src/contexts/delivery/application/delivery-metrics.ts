import type { Counter, Histogram } from 'prom-client';

export type DeliveryOutcome = 'delivered' | 'failed' | 'refused' | 'timeout';

export class DeliveryMetrics {
  private readonly attempts: Readonly<Record<DeliveryOutcome, Counter.Internal>>;

  constructor(
    attempts: Counter<'outcome'>,
    private readonly duration: Histogram,
    private readonly gaps: Counter<'kind'>,
  ) {
    this.attempts = {
      delivered: attempts.labels('delivered'),
      failed: attempts.labels('failed'),
      refused: attempts.labels('refused'),
      timeout: attempts.labels('timeout'),
    };
  }

  attempted(outcome: DeliveryOutcome, durationMs: number): void {
    this.attempts[outcome].inc();
    this.duration.observe(durationMs / 1_000);
  }

  gap(kind: string): void {
    this.gaps.inc({ kind });
  }
}
