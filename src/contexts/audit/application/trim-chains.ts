import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { systemActor } from '../../../kernel/aggregate.js';
import { Clock } from '../../../kernel/clock.js';
import { auditedBy, AuditFaults, type AuditRecord } from '../../../platform/audit/index.js';
import { AUDIT_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { Loop } from '../../../platform/jobs/loop.js';
import { follow, isBreak, type ChainPlace } from '../domain/chain.js';
import { cutoff, maxAgeOf, clampRetention } from '../domain/retention.js';
import { auditResourceOfOwner } from './export-records.js';
import { ChainVerifier } from './chain-verifier.js';
import { AuditChains, AuditRetentions, type LockedChain, type SealedRecord } from './ports.js';

const SLICE = 500;
const EVERY_MS = 3_600_000;

/**
 * Removes sealed records older than the retention of their tenant from the beginning of the chain, which then starts after them. Only
 * records that match the chain are removed: a forged record stays visible. Each removal is itself a record in the chain, and a retention
 * that is not the last signed one removes nothing.
 */
@Injectable()
export class TrimChains {
  private readonly loop = new Loop({
    name: 'audit-trimming',
    every: EVERY_MS,
    runOnce: (signal) => this.runOnce(signal),
    onError: (err) => this.log.warn({ err }, 'old audit records were not removed; will try again'),
  });

  constructor(
    private readonly chains: AuditChains,
    private readonly verifier: ChainVerifier,
    private readonly retentions: AuditRetentions,
    private readonly clock: Clock,
    private readonly faults: AuditFaults,
    private readonly log: PinoLogger,
    @Inject(AUDIT_SETTINGS) private readonly settings: Settings['audit'],
  ) {}

  start(): void {
    this.loop.start();
  }

  close(): Promise<void> {
    return this.loop.close();
  }

  /** Returns the number of removed records. */
  async runOnce(signal?: AbortSignal): Promise<number> {
    let removed = 0;
    for await (const tenantId of this.verifier.tenants()) {
      if (signal?.aborted) break;
      removed += await this.trim(tenantId, signal);
    }
    return removed;
  }

  private async trim(tenantId: string, signal?: AbortSignal): Promise<number> {
    const own = await this.retentions.find(tenantId);
    if (own && !own.genuine) {
      this.faults.count('retention-rewritten');
      this.log.error({ tenantId }, 'a retention of the audit was tampered with; it removes nothing');
      return 0;
    }
    const days = own?.days ?? clampRetention(this.settings.retentionDays);
    for (let removed = 0; ;) {
      const slice = (await this.chains.withLock(tenantId, (locked) => this.trimSlice(locked, days))) ?? 0;
      removed += slice;
      if (slice < SLICE || signal?.aborted) return removed;
    }
  }

  private async trimSlice(locked: LockedChain, days: number): Promise<number> {
    const { tenantId, base } = locked.chain;
    const before = cutoff(this.clock.now(), days);
    const page = await locked.sealed(base.seq, SLICE);
    const young = page.findIndex(({ occurredAt }) => occurredAt >= before);
    const old = young === -1 ? page : page.slice(0, young);
    if (old.length === 0) return 0;
    const end = follow(base, old);
    if (!locked.intact || isBreak(end)) {
      this.faults.count('chain-broken');
      this.log.error({ tenantId, broken: end }, 'an audit chain is broken: its old records are not removed');
      return 0;
    }
    await locked.trim(end, trimmed(tenantId, old, end, days));
    return old.length;
  }
}

/** The hash is that of the last removed record, from which the chain continues. */
function trimmed(tenantId: string, old: readonly SealedRecord[], end: ChainPlace, days: number): AuditRecord {
  return {
    ...auditedBy(systemActor(randomUUID())),
    tenantId,
    action: 'audit.trimmed',
    outcome: 'success',
    resource: auditResourceOfOwner(tenantId),
    before: { firstSeq: old[0]!.seq, lastSeq: end.seq, hash: end.hash },
    after: { maxAge: maxAgeOf(days) },
  };
}
