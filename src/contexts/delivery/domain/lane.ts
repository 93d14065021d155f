import { remainingWaitMs } from '../../../kernel/clock.js';
import { isExhausted, retryDelayMs, type RetryPolicy } from '../../../kernel/retry-policy.js';

/**
 * A lane is one consumer on one topic. Its whole state is a cursor and, while the event after the cursor fails, a failure:
 *
 *   following ── attempt fails ──▶ waiting (nextAttemptAt) ── attempt fails ──▶ … ── retries used up ──▶ blocked
 *       ▲                              │ success                                                          │
 *       └──────────────────────────────┴──────────── consumer resumed or changed (a new try) ◀────────────┘
 */
export interface LaneState {
  /** The last event that was delivered or passed over; 0: none. */
  readonly position: number;
  readonly lastEventId: string | null;
  readonly failure: LaneFailure | null;
  readonly gap: LaneGap | null;
}

/** The failure of the event at `position + 1`. */
export interface LaneFailure {
  /** Attempts that were really made. */
  readonly attempt: number;
  readonly firstFailedAt: number;
  readonly nextAttemptAt: number;
  readonly blocked: boolean;
  /** The version of the consumer that failed: after a change or a resume it starts again. */
  readonly consumerVersion: number;
  readonly error: DeliveryError;
}

export interface DeliveryError {
  readonly at: number;
  readonly phase: string;
  readonly status: number | null;
  readonly message: string;
}

/** Positions that the cursor passed over because they do not exist. */
export interface LaneGap {
  readonly kind: 'missing-events' | 'cursor-beyond-log' | 'log-replaced';
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

export interface FailedAttempt {
  readonly error: DeliveryError;
  /** What the endpoint asked for by `Retry-After`. */
  readonly retryAfterMs: number | undefined;
}

/** The longest wait that a receiver may ask for by `Retry-After`. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/** The look-up remembers for this long that a name did not resolve: trying sooner costs an attempt and learns nothing. */
export const DNS_RETRY_MS_MIN = 5_000;

/** The state after the event at `position + 1` was delivered. */
export function delivered(state: LaneState, position: number, eventId: string): LaneState {
  return { position, lastEventId: eventId, failure: null, gap: state.gap };
}

/** The state after an event from before the time at which the consumer begins. */
export function skipEarly(state: LaneState, position: number): LaneState {
  return { position, lastEventId: null, failure: null, gap: state.gap };
}

/** The state after a failed attempt: the next one is never earlier than the policy and the endpoint say. */
export function failed(
  state: LaneState,
  { error, retryAfterMs = 0 }: FailedAttempt,
  { retry, version }: { retry: RetryPolicy; version: number },
  random: () => number,
): LaneState {
  const before = state.failure?.consumerVersion === version ? state.failure : null;
  const attempt = (before?.attempt ?? 0) + 1;
  const firstFailedAt = before?.firstFailedAt ?? error.at;
  const delayMin = error.phase === 'dns' ? DNS_RETRY_MS_MIN : Math.min(retryAfterMs, RETRY_AFTER_MAX_MS);
  const delay = Math.max(retryDelayMs(retry, attempt, random), delayMin);
  const blocked = isExhausted(retry, attempt, firstFailedAt, error.at);
  const failure = { attempt, firstFailedAt, nextAttemptAt: error.at + delay, blocked, consumerVersion: version, error };
  return { ...state, failure };
}

/** The failure as far as it counts for the consumer as it is now. */
export function currentFailure({ failure }: LaneState, consumerVersion: number): LaneFailure | null {
  return failure?.consumerVersion === consumerVersion ? failure : null;
}

/** When the next attempt is due. A failure in the future comes from a clock that was ahead and is right by now: its wait starts again. */
export const dueAt = ({ nextAttemptAt, error }: LaneFailure, now: number): number =>
  now + remainingWaitMs(error.at, nextAttemptAt - error.at, now);

/** What the log shows of the position where the lane continues. */
export interface LogEvidence {
  readonly head: number;
  /** The event at the cursor, if it exists. */
  readonly atCursor: { readonly position: number; readonly id: string } | undefined;
}

/**
 * Checks the cursor when a lane starts. If it is beyond the end of the log, or its event is another one now, the log was restored from a
 * backup: that is reported, and delivery continues with what exists.
 */
export function checkCursor(state: LaneState, { head, atCursor }: LogEvidence, at: number): LaneState {
  const { position, lastEventId } = state;
  if (position > head) {
    return {
      position: head,
      lastEventId: null,
      failure: null,
      gap: { kind: 'cursor-beyond-log', from: head + 1, to: position, at },
    };
  }
  if (lastEventId !== null && atCursor?.position === position && atCursor.id !== lastEventId) {
    return {
      ...state,
      lastEventId: null,
      failure: null,
      gap: { kind: 'log-replaced', from: position, to: position, at },
    };
  }
  return state;
}

/** The state before an event that is not the next one: the positions in between are gone. */
export function skipGap(state: LaneState, nextPosition: number, at: number): LaneState {
  const gap: LaneGap = { kind: 'missing-events', from: state.position + 1, to: nextPosition - 1, at };
  return { position: nextPosition - 1, lastEventId: null, failure: null, gap };
}
