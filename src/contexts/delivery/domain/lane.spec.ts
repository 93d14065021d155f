import fc from 'fast-check';
import { DEFAULT_RETRY } from '../../../kernel/retry-policy.js';
import {
  checkCursor,
  currentFailure,
  delivered,
  dueAt,
  failed,
  DNS_RETRY_MS_MIN,
  skipEarly,
  skipGap,
  RETRY_AFTER_MAX_MS,
  type LaneState,
} from './lane.js';

const fresh: LaneState = { position: 4, lastEventId: 'e4', failure: null, gap: null };
const consumer = { retry: { ...DEFAULT_RETRY, jitter: 0, maxAttempts: 3 }, version: 1 };
const error = (at: number) => ({ at, phase: 'response', status: 500, message: 'the endpoint answered 500' });
const never = (): number => 0;

describe('a lane', () => {
  it('moves on by one delivered event and forgets its failure', () => {
    const troubled = failed(fresh, { error: error(0), retryAfterMs: undefined }, consumer, never);
    expect(delivered(troubled, 5, 'e5')).toEqual({ position: 5, lastEventId: 'e5', failure: null, gap: null });
  });

  it('passes over events from before the time at which it begins, without a delivery and without a gap', () => {
    expect(skipEarly({ ...fresh, lastEventId: null }, 5)).toEqual({
      position: 5,
      lastEventId: null,
      failure: null,
      gap: null,
    });
  });

  it('keeps its position when an attempt fails, and waits as the policy says', () => {
    const once = failed(fresh, { error: error(100), retryAfterMs: undefined }, consumer, never);
    expect(once).toMatchObject({
      position: 4,
      failure: { attempt: 1, firstFailedAt: 100, nextAttemptAt: 1_100, blocked: false },
    });
    const twice = failed(once, { error: error(1_100), retryAfterMs: undefined }, consumer, never);
    expect(twice.failure).toMatchObject({ attempt: 2, firstFailedAt: 100, nextAttemptAt: 3_100 });
  });

  it('waits as long as Retry-After asks where that is longer, but never above the cap', () => {
    expect(failed(fresh, { error: error(0), retryAfterMs: 60_000 }, consumer, never).failure?.nextAttemptAt).toBe(
      60_000,
    );
    expect(failed(fresh, { error: error(0), retryAfterMs: 10 }, consumer, never).failure?.nextAttemptAt).toBe(1_000);
    expect(failed(fresh, { error: error(0), retryAfterMs: 1e12 }, consumer, never).failure?.nextAttemptAt).toBe(
      RETRY_AFTER_MAX_MS,
    );
  });

  it('waits no longer than planned after a failure under a clock that was an hour ahead and is right after a restart', () => {
    const ahead = failed(fresh, { error: error(3_600_000), retryAfterMs: undefined }, consumer, never).failure!;
    expect(dueAt(ahead, 500)).toBe(1_500);
    expect([3_600_000, 3_600_400, 4_000_000].map((now) => dueAt(ahead, now))).toEqual([
      3_601_000, 3_601_000, 4_000_000,
    ]);
  });

  it('does not look up a name that did not resolve again at once, whatever the policy says', () => {
    const eager = { ...consumer, retry: { ...consumer.retry, strategy: 'fixed', initialDelayMs: 10 } as const };
    const after = (phase: string) =>
      failed(fresh, { error: { ...error(0), phase }, retryAfterMs: undefined }, eager, never).failure?.nextAttemptAt;
    expect([after('dns'), after('connect')]).toEqual([DNS_RETRY_MS_MIN, 10]);
  });

  it('is blocked when its retries are used up, and starts again for a consumer that was changed or resumed', () => {
    let state = fresh;
    for (const at of [0, 1, 2]) state = failed(state, { error: error(at), retryAfterMs: undefined }, consumer, never);
    expect(state.failure).toMatchObject({ attempt: 3, blocked: true });
    expect(currentFailure(state, 1)).toBe(state.failure);
    expect(currentFailure(state, 2)).toBeNull();
    expect(
      failed(state, { error: error(9), retryAfterMs: undefined }, { ...consumer, version: 2 }, never).failure?.attempt,
    ).toBe(1);
  });

  it('never plans an attempt before its failure, whatever the endpoint and the random factor say', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.double(), { nil: undefined }),
        (at, chance, retryAfterMs) => {
          fc.pre(retryAfterMs === undefined || retryAfterMs >= 0);
          const { failure } = failed(fresh, { error: error(at), retryAfterMs }, consumer, () => chance);
          expect(failure!.nextAttemptAt).toBeGreaterThan(at);
        },
      ),
    );
  });

  describe('at its start', () => {
    it('continues silently where the log is unchanged', () => {
      expect(checkCursor(fresh, { head: 9, atCursor: { position: 4, id: 'e4' } }, 1)).toBe(fresh);
      expect(
        checkCursor({ ...fresh, position: 0, lastEventId: null }, { head: 0, atCursor: undefined }, 1).gap,
      ).toBeNull();
    });

    it('reports a cursor beyond the log and continues at its end', () => {
      expect(checkCursor(fresh, { head: 2, atCursor: undefined }, 7)).toEqual({
        position: 2,
        lastEventId: null,
        failure: null,
        gap: { kind: 'cursor-beyond-log', from: 3, to: 4, at: 7 },
      });
    });

    it('reports that the event at its position is another one now', () => {
      const state = checkCursor(fresh, { head: 9, atCursor: { position: 4, id: 'other' } }, 7);
      expect(state).toMatchObject({ position: 4, gap: { kind: 'log-replaced', from: 4, to: 4 } });
    });
  });

  it('reports positions that are gone and continues at the first event that exists', () => {
    expect(skipGap(fresh, 8, 3)).toEqual({
      position: 7,
      lastEventId: null,
      failure: null,
      gap: { kind: 'missing-events', from: 5, to: 7, at: 3 },
    });
  });
});
