import type { DomainError } from '../../kernel/domain-error.js';
import {
  eventRow,
  type AppendedEvent,
  type AppendRequest,
  type AppendResult,
  type NewEvent,
  type StoredEvent,
} from './event.js';
import { logError, logGone } from './log-errors.js';

/** The end of a log. */
export interface LogEnd {
  position: number;
  logBytes: number;
  recordedAt: number;
}

/** What an appender knows of a log's end. It is valid as long as no one else has appended since it was read. */
export interface KnownEnd extends LogEnd {
  /** Id of the event at `position`, if known. */
  lastId: string | null;
  /** Versions of streams, as far as they were read. */
  readonly streams: Map<string, number>;
}

/** Events that are in the log already, by id. */
export type KnownEvents = ReadonlyMap<string, StoredEvent>;

export interface PlanInput {
  readonly requests: readonly AppendRequest[];
  readonly ends: ReadonlyMap<string, KnownEnd>;
  /** By topic uid, then by event id. */
  readonly known: ReadonlyMap<string, KnownEvents>;
  /** Places (`placeKey`) that an earlier try of this very flush may have filled, when the reply to its commit was lost. */
  readonly ours: ReadonlySet<string>;
  readonly now: number;
}

export interface AppendPlan {
  /** In the order of the requests: the result of each once the rows are committed. */
  readonly outcomes: readonly (AppendResult | DomainError)[];
  /** By topic uid: the rows to insert, positions ascending. */
  readonly rows: ReadonlyMap<string, StoredEvent[]>;
}

/** A log while a plan is made: its future end, and the events with planned positions. */
interface Draft {
  end: KnownEnd;
  readonly rows: StoredEvent[];
  readonly planned: Map<string, StoredEvent>;
}

/**
 * Gives each event its position, and settles duplicates and version conflicts request by request, so that none makes others fail. Pure:
 * `ends` is not changed. Time order is position order: if the clock steps back, the last recorded time is used.
 */
export function planAppends(input: PlanInput): AppendPlan {
  const drafts = new Map<string, Draft>();
  const outcomes = input.requests.map((request) => {
    const end = input.ends.get(request.topicUid);
    if (!end) return logGone();
    let draft = drafts.get(request.topicUid);
    if (!draft) {
      draft = {
        end: { ...end, streams: new Map(), recordedAt: Math.max(end.recordedAt, input.now) },
        rows: [],
        planned: new Map(),
      };
      drafts.set(request.topicUid, draft);
    }
    return planRequest(request, draft, end, input);
  });
  const rows = new Map<string, StoredEvent[]>();
  for (const [uid, draft] of drafts) if (draft.rows.length > 0) rows.set(uid, draft.rows);
  return { outcomes, rows };
}

function planRequest(
  request: AppendRequest,
  draft: Draft,
  end: KnownEnd,
  input: PlanInput,
): AppendResult | DomainError {
  const known = input.known.get(request.topicUid);
  const earlier = new Map<string, StoredEvent | NewEvent>();
  let fresh = 0;
  for (const event of request.events) {
    const same = earlier.get(event.id) ?? draft.planned.get(event.id) ?? known?.get(event.id);
    if (same === undefined) fresh++;
    else if (!sameContent(same, event)) return idConflict(event.id);
    if (event.idGiven) earlier.set(event.id, same ?? event);
  }
  const conflict = fresh > 0 ? versionConflict(request, draft, end) : undefined;
  if (conflict) return conflict;
  const events: AppendedEvent[] = []; // by push, for the same reason as in parseEvents
  for (const event of request.events) events.push(place(event, request, draft, end, input));
  return { events };
}

function place(event: NewEvent, request: AppendRequest, draft: Draft, end: KnownEnd, input: PlanInput): AppendedEvent {
  const stored = draft.planned.get(event.id) ?? input.known.get(request.topicUid)?.get(event.id);
  if (stored) {
    const duplicate =
      draft.planned.has(event.id) || !input.ours.has(placeKey(request.topicUid, event.id, stored.position));
    draft.planned.set(event.id, stored); // later requests with it are duplicates
    return { id: event.id, position: stored.position, streamVersion: stored.streamVersion, duplicate };
  }
  const row = store(event, request.publishedBy, draft, end);
  if (event.idGiven) draft.planned.set(event.id, row);
  return { id: row.id, position: row.position, streamVersion: row.streamVersion, duplicate: false };
}

function store(event: NewEvent, publishedBy: string, draft: Draft, end: KnownEnd): StoredEvent {
  let streamVersion: number | null = null;
  if (event.stream !== null) {
    streamVersion = streamVersionOf(event.stream, draft, end) + 1;
    draft.end.streams.set(event.stream, streamVersion);
  }
  draft.end.position += 1;
  draft.end.logBytes += event.bytes;
  const { position, logBytes, recordedAt } = draft.end;
  const row = eventRow(event, { position, logBytes, recordedAt, streamVersion }, publishedBy);
  draft.rows.push(row);
  return row;
}

const streamVersionOf = (stream: string, draft: Draft, end: KnownEnd): number =>
  draft.end.streams.get(stream) ?? end.streams.get(stream) ?? 0;

function versionConflict(request: AppendRequest, draft: Draft, end: KnownEnd): DomainError | undefined {
  if (request.expectedStreamVersion === 'any') return undefined;
  const stream = request.events[0]?.stream ?? '';
  const actual = streamVersionOf(stream, draft, end);
  if (actual === request.expectedStreamVersion) return undefined;
  return logError(
    'stream-version-conflict',
    `Stream "${stream}" is at version ${actual}, not ${request.expectedStreamVersion}.`,
    {
      stream,
      expectedVersion: request.expectedStreamVersion,
      actualVersion: actual,
    },
  );
}

/** An event found exactly where one of our tries would have put it came from that try: any other is a duplicate. */
export const placeKey = (topicUid: string, id: string, position: number): string => `${topicUid} ${id} ${position}`;

const idConflict = (id: string): DomainError =>
  logError('event-id-conflict', `Event id "${id}" is taken by an event with other content.`, { eventId: id });

/** The same content as the producer sent; fields that a repeated request leaves out or that the server filled in are not compared. */
function sameContent(stored: StoredEvent | NewEvent, event: NewEvent): boolean {
  return (
    stored.type === event.type &&
    stored.data === event.data &&
    stored.key === event.key &&
    stored.stream === event.stream &&
    stored.schemaVersion === event.schemaVersion &&
    stored.metadata === event.metadata &&
    (event.occurredAt === null || stored.occurredAt === event.occurredAt)
  );
}
