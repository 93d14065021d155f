import { TokenBucket } from './token-bucket.js';

const TEN_A_MINUTE = { limit: 10, windowSeconds: 60 };

describe('a token bucket', () => {
  it('begins full, refills evenly, and never holds more than its limit', () => {
    const bucket = new TokenBucket(TEN_A_MINUTE, 0);
    bucket.take(10);
    expect([bucket.tokens, bucket.secondsUntil(1)]).toEqual([0, 6]);
    expect(bucket.refill(TEN_A_MINUTE, 3_000).tokens).toBe(0.5);
    expect(bucket.refill(TEN_A_MINUTE, 6_000).tokens).toBe(1);
    expect(bucket.refill(TEN_A_MINUTE, 600_000).tokens).toBe(10);
  });

  it('may be left in debt, which must be paid off first', () => {
    const bucket = new TokenBucket(TEN_A_MINUTE, 0);
    bucket.take(25);
    expect([bucket.tokens, bucket.secondsUntil(1)]).toEqual([-15, 96]);
    expect(bucket.refill(TEN_A_MINUTE, 90_000).tokens).toBe(0);
  });

  it('neither takes nor gives anything when the clock is set back', () => {
    const bucket = new TokenBucket(TEN_A_MINUTE, 60_000);
    bucket.take(4);
    expect(bucket.refill(TEN_A_MINUTE, 0).tokens).toBe(6);
    expect(bucket.refill(TEN_A_MINUTE, 6_000).tokens).toBe(7);
  });

  it('uses a changed rate from the next refill on', () => {
    const bucket = new TokenBucket(TEN_A_MINUTE, 0);
    const lower = { limit: 2, windowSeconds: 60 };
    expect(bucket.refill(lower, 0).tokens).toBe(2);
    bucket.take(2);
    expect([bucket.limit, bucket.secondsUntil(1)]).toEqual([2, 30]);
    expect(bucket.refill({ limit: 20, windowSeconds: 60 }, 30_000).tokens).toBe(10);
  });
});
