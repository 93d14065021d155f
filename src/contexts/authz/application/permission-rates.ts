import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { authzError } from '../domain/authz-errors.js';
import type { RateRule } from '../domain/policy.js';

const BUCKETS_MAX = 50_000;

/** Counts what grants with a rate let through, by principal, on this instance: a bucket that refills evenly over its window. */
@Injectable()
export class PermissionRates {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(private readonly clock: Clock) {}

  /** One of the rules must have room. */
  spend(principalId: string, rules: readonly RateRule[]): void {
    let waitMs = Infinity;
    for (const rule of rules) {
      const wait = this.take(`${principalId} ${rule.grantId}`, rule);
      if (wait === 0) return;
      waitMs = Math.min(waitMs, wait);
    }
    throw authzError('permission-rate-limited', 'The permission is used up for now.', {
      retryAfterSeconds: waitMs / 1_000,
    });
  }

  /** Milliseconds until there is room; 0: taken. */
  private take(name: string, { limit, windowSeconds }: RateRule): number {
    const now = this.clock.now();
    const perMs = limit / (windowSeconds * 1_000);
    const bucket = this.buckets.get(name) ?? { tokens: limit, at: now };
    bucket.tokens = Math.min(limit, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    this.buckets.delete(name);
    if (this.buckets.size >= BUCKETS_MAX) this.buckets.delete(this.buckets.keys().next().value!);
    this.buckets.set(name, bucket);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perMs;
    bucket.tokens--;
    return 0;
  }
}
