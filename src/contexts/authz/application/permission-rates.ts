import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { usedUp, type LimitLeft } from '../../../kernel/limit-left.js';
import { authzError } from '../domain/authz-errors.js';
import type { RateRule } from '../domain/decision.js';

const BUCKETS_MAX = 50_000;

/**
 * Counts what grants with a rate let through, on this instance: a bucket that refills evenly over its window. It is counted by the grant and
 * by the person whose right is used, so that another session or API key of his has no bucket of its own.
 */
@Injectable()
export class PermissionRates {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly clock: Clock) {}

  /**
   * Of each list one rule must have room; where one has not, nothing is taken from any. Answers what is left of the one that has the least;
   * undefined where there is none.
   */
  spend(userId: string, lists: readonly (readonly RateRule[])[]): LimitLeft | undefined {
    const chosen = new Set<Bucket>();
    let longest: Bucket | undefined;
    for (const rules of lists) {
      const buckets = rules.map((rule) => this.refilled(`${userId} ${rule.grantId}`, rule));
      const withRoom = buckets.find((bucket) => bucket.tokens >= 1);
      if (withRoom) chosen.add(withRoom);
      else {
        const next = soonest(buckets);
        if (!longest || waitMs(next) > waitMs(longest)) longest = next;
      }
    }
    if (longest) {
      const extensions = usedUp(policyOf(longest), waitMs(longest) / 1_000);
      throw authzError('permission-rate-limited', 'The permission is used up for now.', extensions);
    }
    for (const bucket of chosen) bucket.tokens--;
    const [least] = [...chosen].toSorted((a, b) => a.tokens - b.tokens);
    return least && { ...policyOf(least), remaining: least.tokens, resetSeconds: least.windowSeconds / least.limit };
  }

  private refilled(name: string, { limit, windowSeconds }: RateRule): Bucket {
    const now = this.clock.now();
    const perMs = limit / (windowSeconds * 1_000);
    const bucket = this.buckets.get(name) ?? { tokens: limit, at: now, perMs, limit, windowSeconds };
    bucket.tokens = Math.min(limit, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    this.buckets.delete(name);
    if (this.buckets.size >= BUCKETS_MAX) this.buckets.delete(this.buckets.keys().next().value!);
    this.buckets.set(name, bucket);
    return bucket;
  }
}

interface Bucket {
  tokens: number;
  at: number;
  readonly perMs: number;
  readonly limit: number;
  readonly windowSeconds: number;
}

const waitMs = ({ tokens, perMs }: Bucket): number => (1 - tokens) / perMs;
const soonest = (buckets: readonly Bucket[]): Bucket => buckets.toSorted((a, b) => waitMs(a) - waitMs(b))[0]!;
const policyOf = ({ limit, windowSeconds }: Bucket) => ({ policy: 'permission', quota: limit, windowSeconds });
