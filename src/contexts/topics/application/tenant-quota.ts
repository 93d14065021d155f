import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { exhaustedLimit, type LimitLeft } from '../../../kernel/limit-left.js';
import type { NewEvent } from '../../../platform/event-log/index.js';
import { KeptResponseShares } from '../../../platform/http/kept-response-shares.js';
import type { PublishLimits } from '../../../kernel/access.js';
import { boundedMap } from '../../../platform/limits/bounded-map.js';
import { TokenBucket } from '../../../platform/limits/token-bucket.js';
import { tenancyError } from '../../tenancy/index.js';
import { TopicCatalog } from './ports.js';

/** How long the last sum of what a tenant stores is used, with what is added since. */
const SUMMED_AGAIN_AFTER_MS = 10_000;
const FULL_RETRY_SECONDS = 60;
/** Tenants with limits. One that is evicted, after so many others have published, starts with a full bucket. */
const REMEMBERED_MAX = 50_000;

interface Usage {
  bytes: number;
  readonly summedAt: number;
}

/**
 * Limits what tenants publish. Each instance counts rates on its own (a bucket of one second), so that a request asks no other; what
 * a tenant stores is summed every ten seconds and counted up in between.
 */
@Injectable()
export class TenantQuota {
  private readonly buckets = boundedMap<TokenBucket>(REMEMBERED_MAX);
  private readonly usage = boundedMap<Usage>(REMEMBERED_MAX);

  constructor(
    private readonly topics: TopicCatalog,
    private readonly answers: KeptResponseShares,
    private readonly clock: Clock,
  ) {}

  /** Reports what is left. Synchronous, except for what a tenant stores, which may have to be summed. Throws where a limit is reached. */
  take(
    tenantId: string,
    limits: PublishLimits | null,
    events: readonly NewEvent[],
    report: (left: LimitLeft) => void,
  ): void | Promise<void> {
    if (!limits) return undefined;
    const { eventsPerSecond, storageBytes } = limits;
    if (storageBytes === null) return this.spend(tenantId, eventsPerSecond, events.length, report);
    return this.store(tenantId, storageBytes, events).then((left) => {
      report(left);
      this.spend(tenantId, eventsPerSecond, events.length, report);
    });
  }

  /** A batch larger than the rate passes when the bucket is full, and leaves it in debt. */
  private spend(tenantId: string, limit: number | null, count: number, report: (left: LimitLeft) => void): void {
    if (limit === null) return;
    const policy = { policy: 'tenant', quota: limit, windowSeconds: 1 };
    const needed = Math.min(count, limit);
    const bucket = this.bucketOf(tenantId, limit);
    if (bucket.tokens < needed || limit === 0) {
      const retryAfterSeconds = limit === 0 ? FULL_RETRY_SECONDS : Math.max(1, Math.ceil(bucket.secondsUntil(needed)));
      throw tenancyError(
        'tenant-rate-limited',
        `The tenant may publish ${limit} events a second.`,
        exhaustedLimit(policy, retryAfterSeconds),
      );
    }
    bucket.take(count);
    report({ ...policy, remaining: bucket.tokens, resetSeconds: 1 });
  }

  private bucketOf(tenantId: string, limit: number): TokenBucket {
    const rate = { limit, windowSeconds: 1 };
    const now = this.clock.now();
    let bucket = this.buckets.get(tenantId);
    if (!bucket) this.buckets.set(tenantId, (bucket = new TokenBucket(rate, now)));
    return bucket.refill(rate, now);
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
        exhaustedLimit(policy, FULL_RETRY_SECONDS),
      );
    }
    usage.bytes += bytes;
    return { ...policy, remaining: limit - stored - bytes };
  }
}
