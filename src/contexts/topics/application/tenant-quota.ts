import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { usedUp, type LimitLeft } from '../../../kernel/limit-left.js';
import type { NewEvent } from '../../../platform/event-log/index.js';
import { KeptAnswerShares } from '../../../platform/http/kept-answer-shares.js';
import { tenancyError, TenantGates, type TenantGate } from '../../tenancy/index.js';
import { TopicCatalog } from './ports.js';

/** How long what a tenant stores is counted on from the last sum. */
const SUMMED_AGAIN_AFTER_MS = 10_000;
const FULL_RETRY_SECONDS = 60;

interface Bucket {
  tokens: number;
  at: number;
}

interface Usage {
  bytes: number;
  readonly summedAt: number;
}

/**
 * Holds tenants to what they may publish. Rates are counted by each instance for itself (a bucket of one second), so that a request
 * asks nobody; what a tenant stores is summed every ten seconds and counted on in between.
 */
@Injectable()
export class TenantQuota {
  private readonly buckets = new Map<string, Bucket>();
  private readonly usage = new Map<string, Usage>();

  constructor(
    private readonly gates: TenantGates,
    private readonly topics: TopicCatalog,
    private readonly answers: KeptAnswerShares,
    private readonly clock: Clock,
  ) {}

  /** `tell` hears what is left. What is not limited most requests find out without waiting. Throws where a limit is reached. */
  take(tenantId: string, events: readonly NewEvent[], tell: (left: LimitLeft) => void): void | Promise<void> {
    const gate = this.gates.of(tenantId);
    if (gate instanceof Promise) return gate.then((found) => this.charge(tenantId, found, events, tell));
    if (!gate || (gate.limits.eventsPerSecond === null && gate.limits.storageBytes === null)) return undefined;
    return this.charge(tenantId, gate, events, tell);
  }

  private async charge(
    tenantId: string,
    gate: TenantGate | null,
    events: readonly NewEvent[],
    tell: (left: LimitLeft) => void,
  ): Promise<void> {
    if (!gate) return;
    const { eventsPerSecond, storageBytes } = gate.limits;
    if (storageBytes !== null) tell(await this.store(tenantId, storageBytes, events));
    if (eventsPerSecond !== null) tell(this.spend(tenantId, eventsPerSecond, events.length));
  }

  /** A batch larger than the rate passes when the bucket is full, and leaves it in debt. */
  private spend(tenantId: string, limit: number, count: number): LimitLeft {
    const policy = { policy: 'tenant', quota: limit, windowSeconds: 1 };
    const now = this.clock.now();
    const bucket = this.buckets.get(tenantId) ?? { tokens: limit, at: now };
    this.buckets.set(tenantId, bucket);
    bucket.tokens = Math.min(limit, bucket.tokens + (Math.max(0, now - bucket.at) / 1_000) * limit);
    bucket.at = now;
    if (bucket.tokens < Math.min(count, limit) || limit === 0) {
      const missing = Math.min(count, limit) - bucket.tokens;
      const retryAfterSeconds = limit === 0 ? FULL_RETRY_SECONDS : Math.max(1, Math.ceil(missing / limit));
      throw tenancyError(
        'tenant-rate-limited',
        `The tenant may publish ${limit} events a second.`,
        usedUp(policy, retryAfterSeconds),
      );
    }
    bucket.tokens -= count;
    return { ...policy, remaining: bucket.tokens, resetSeconds: 1 };
  }

  private async store(tenantId: string, limit: number, events: readonly NewEvent[]): Promise<LimitLeft> {
    const policy = { policy: 'storage', quota: limit, unit: 'content-bytes' } as const;
    let usage = this.usage.get(tenantId);
    const now = this.clock.now();
    if (!usage || now - usage.summedAt > SUMMED_AGAIN_AFTER_MS) {
      usage = { bytes: await this.topics.storedBytes(tenantId), summedAt: now };
      this.usage.set(tenantId, usage);
    }
    const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    const stored = usage.bytes + (await this.answers.bytesOf(tenantId));
    if (stored + bytes > limit) {
      throw tenancyError(
        'tenant-storage-full',
        `The tenant may store ${limit} bytes, and stores ${stored}.`,
        usedUp(policy, FULL_RETRY_SECONDS),
      );
    }
    usage.bytes += bytes;
    return { ...policy, remaining: limit - stored - bytes };
  }
}
