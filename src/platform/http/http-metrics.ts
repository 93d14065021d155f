import type { Counter, Histogram } from 'prom-client';

export class HttpMetrics {
  constructor(
    private readonly refusals: Counter<'code'>,
    private readonly requests: Histogram<'method' | 'route' | 'status'>,
  ) {}

  refused(code: string): void {
    this.refusals.inc({ code });
  }

  request(method: string, route: string, status: string, durationMs: number): void {
    this.requests.observe({ method, route, status }, durationMs / 1_000);
  }
}
