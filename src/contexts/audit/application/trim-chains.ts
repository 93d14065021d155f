import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../../kernel/clock.js';
import { AUDIT_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { follow, isBreak } from '../domain/chain.js';
import { cutoff } from '../domain/retention.js';
import { ChainVerifier } from './chain-verifier.js';
import { AuditChains, AuditRetentions, type LockedChain } from './ports.js';

const SLICE = 500;
const EVERY_MS = 3_600_000;

/**
 * Removes sealed records that are older than their tenant keeps them, from the beginning of the chain on, which then begins behind them.
 * Only what still fits the chain is removed: a forged record stays where it can be seen.
 */
@Injectable()
export class TrimChains {
  private readonly stop = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly chains: AuditChains,
    private readonly verifier: ChainVerifier,
    private readonly retentions: AuditRetentions,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: PinoLogger,
    @Inject(AUDIT_SETTINGS) private readonly settings: Settings['audit'],
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  /** Answers how many records went. */
  async runOnce(): Promise<number> {
    let removed = 0;
    for await (const tenantId of this.verifier.tenants()) {
      if (this.stop.signal.aborted) break;
      removed += await this.trim(tenantId);
    }
    return removed;
  }

  private async trim(tenantId: string): Promise<number> {
    const days = (await this.retentions.find(tenantId))?.days ?? this.settings.retentionDays;
    const before = cutoff(this.clock.now(), days);
    for (let removed = 0; ;) {
      const slice = (await this.chains.withLock(tenantId, (locked) => this.trimSlice(locked, before))) ?? 0;
      removed += slice;
      if (slice < SLICE || this.stop.signal.aborted) return removed;
    }
  }

  private async trimSlice(locked: LockedChain, before: number): Promise<number> {
    const { tenantId, base } = locked.chain;
    const page = await locked.sealed(base.seq, SLICE);
    const young = page.findIndex(({ occurredAt }) => occurredAt >= before);
    const old = young === -1 ? page : page.slice(0, young);
    if (old.length === 0) return 0;
    const end = follow(base, old);
    if (!locked.intact || isBreak(end)) {
      this.metrics.auditFault('chain-broken');
      this.log.error({ tenantId, broken: end }, 'an audit chain is broken: its old records are not removed');
      return 0;
    }
    await locked.trim(end);
    return old.length;
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await this.runOnce().catch((error: unknown) =>
        this.log.warn({ err: error }, 'old audit records were not removed; will try again'),
      );
      await pause(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
