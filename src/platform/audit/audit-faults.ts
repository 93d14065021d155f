import type { Counter } from 'prom-client';
import type { AuditLoss } from './audit-trail.js';

export class AuditFaults {
  constructor(private readonly faults: Counter<'kind'>) {}

  count(kind: AuditLoss | 'chain-broken' | 'retention-rewritten', times = 1): void {
    this.faults.inc({ kind }, times);
  }
}
