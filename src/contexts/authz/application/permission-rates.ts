import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { exhaustedLimit, type LimitLeft } from '../../../kernel/limit-left.js';
import { boundedMap } from '../../../platform/limits/bounded-map.js';
import { TokenBucket } from '../../../platform/limits/token-bucket.js';
import { authzError } from '../domain/authz-errors.js';
import type { RateRule } from '../domain/decision.js';

const BUCKETS_MAX = 50_000;

/**
 * Counts what grants with a rate let through, on this instance: a bucket that refills evenly over its window. It is counted by the grant and
 * by the user whose right is used, so that other sessions and API keys of theirs have no bucket of their own.
 */
@Injectable()
export class PermissionRates {
  private readonly buckets = boundedMap<TokenBucket>(BUCKETS_MAX);

  constructor(private readonly clock: Clock) {}

  /**
   * One rule of each list must have room; otherwise nothing is taken from any. Returns what is left of the one with the least; undefined where
   * there is none.
   */
  spend(userId: string, lists: readonly (readonly RateRule[])[]): LimitLeft | undefined {
    const chosen = new Set<TokenBucket>();
    let longest: TokenBucket | undefined;
    for (const rules of lists) {
      const buckets = rules.map((rule) => this.refilled(`${userId} ${rule.grantId}`, rule));
      const withRoom = buckets.find((bucket) => bucket.tokens >= 1);
      if (withRoom) chosen.add(withRoom);
      else {
        const next = soonest(buckets);
        if (!longest || waitSeconds(next) > waitSeconds(longest)) longest = next;
      }
    }
    if (longest) {
      const extensions = exhaustedLimit(policyOf(longest), waitSeconds(longest));
      throw authzError('permission-rate-limited', 'The permission is used up for now.', extensions);
    }
    for (const bucket of chosen) bucket.take(1);
    const [least] = [...chosen].toSorted((a, b) => a.tokens - b.tokens);
    return least && { ...policyOf(least), remaining: least.tokens, resetSeconds: least.windowSeconds / least.limit };
  }

  private refilled(name: string, rule: RateRule): TokenBucket {
    const now = this.clock.now();
    const bucket = this.buckets.peek(name) ?? new TokenBucket(rule, now);
    this.buckets.set(name, bucket);
    return bucket.refill(rule, now);
  }
}

const waitSeconds = (bucket: TokenBucket): number => bucket.secondsUntil(1);
const soonest = (buckets: readonly TokenBucket[]): TokenBucket =>
  buckets.toSorted((a, b) => waitSeconds(a) - waitSeconds(b))[0]!;
const policyOf = ({ limit, windowSeconds }: TokenBucket) => ({
  policy: 'permission',
  quota: limit,
  windowSeconds,
});
