import type { ClientConfig } from 'pg';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { LaneState } from '../domain/lane.js';
import type { AttemptedEvent, CompletedAttempt } from '../application/lane.js';
import type { LaneFigures, LaneAssignment } from '../application/ports.js';

/*
 * Messages between the main thread and a delivery thread. Each lane has a number that is never reused. Messages arrive in the order in
 * which they were sent, so all news of a lane arrive before its end.
 */

/** What a thread needs to start; it must survive a structured clone. */
export interface ThreadSetup {
  readonly database: {
    /** To the embedded server; undefined: the URL is used. */
    readonly connection: ClientConfig | undefined;
    readonly url: string | undefined;
    readonly caFile: string | undefined;
    readonly poolSize: number;
    readonly statementTimeoutMs: number;
    readonly lockTimeoutMs: number;
  };
  readonly egress: {
    readonly allowedCidrs: readonly string[];
    readonly allowHttp: boolean;
    readonly connectTimeoutMs: number;
    readonly dnsServers: readonly string[];
  };
  readonly tails: { readonly cacheBytesMax: number; readonly pollMs: number };
}

export type ThreadCommand =
  | { readonly kind: 'start'; readonly lane: number; readonly order: LaneAssignment }
  | { readonly kind: 'stop'; readonly lane: number; readonly graceMs: number }
  | {
      readonly kind: 'appended';
      readonly topicUid: string;
      readonly events: readonly StoredEvent[];
      readonly bytes: number;
    }
  | { readonly kind: 'advanced'; readonly topicUid: string; readonly position: number }
  /** Positions may have been missed: the thread reads the heads of its topics itself. */
  | { readonly kind: 'missed' }
  /** On the clock of `sharedNow`. The thread replies with `here`. */
  | { readonly kind: 'held'; readonly untilMs: number }
  | { readonly kind: 'paused'; readonly lane: number; readonly done: boolean }
  | { readonly kind: 'figures' }
  | { readonly kind: 'close' };

/** What happened on a lane; `state` is its state at that time. */
export type LaneNews =
  | {
      readonly kind: 'attempted';
      readonly event: AttemptedEvent;
      readonly outcome: CompletedAttempt;
      readonly attempt: number;
    }
  | { readonly kind: 'gap-found' | 'blocked'; readonly state: LaneState }
  | { readonly kind: 'gone' }
  | { readonly kind: 'store-failed' | 'request-failed'; readonly error: PortableError };

export type ThreadMessage =
  | {
      readonly kind: 'news';
      readonly news: readonly (readonly [lane: number, LaneNews])[];
      readonly moved: ReadonlyMap<number, LaneState>;
      /** Bytes of events that the thread has received. */
      readonly taken: number;
    }
  | { readonly kind: 'stopped'; readonly lane: number; readonly state: LaneState }
  | { readonly kind: 'figures'; readonly figures: ReadonlyMap<number, LaneFigures> }
  | { readonly kind: 'here' }
  /** The lease has ended, and the thread has stopped its lanes. */
  | { readonly kind: 'lapsed' }
  | { readonly kind: 'warning'; readonly what: string; readonly error: PortableError };

/** A structured clone of an error keeps neither its code nor its name. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly cause: PortableError | undefined;
}

export function toPortableError(error: unknown): PortableError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, code: undefined, cause: undefined };
  const { name, message, stack, cause, code } = error as NodeJS.ErrnoException;
  return { name, message, stack, code, cause: cause === undefined ? undefined : toPortableError(cause) };
}

export function fromPortableError({ message, cause, ...rest }: PortableError): Error {
  return Object.assign(new Error(message, cause && { cause: fromPortableError(cause) }), rest);
}

/** Milliseconds on the monotonic clock that all threads of a process share. */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6;
