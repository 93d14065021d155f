import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
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

  /** Of each list one rule must have room; where one has not, nothing is taken from any. */
  spend(userId: string, lists: readonly (readonly RateRule[])[]): void {
    let waitMs = 0;
    const chosen = new Set<Bucket>();
    for (const rules of lists) {
      const buckets = rules.map((rule) => this.refilled(`${userId} ${rule.grantId}`, rule));
      const withRoom = buckets.find((bucket) => bucket.tokens >= 1);
      if (withRoom) chosen.add(withRoom);
      else waitMs = Math.max(waitMs, Math.min(...buckets.map(({ tokens, perMs }) => (1 - tokens) / perMs)));
    }
    if (waitMs > 0)
      throw authzError('permission-rate-limited', 'The permission is used up for now.', {
        retryAfterSeconds: waitMs / 1_000,
      });
    for (const bucket of chosen) bucket.tokens--;
  }

  private refilled(name: string, { limit, windowSeconds }: RateRule): Bucket {
    const now = this.clock.now();
    const perMs = limit / (windowSeconds * 1_000);
    const bucket = this.buckets.get(name) ?? { tokens: limit, at: now, perMs };
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
}
