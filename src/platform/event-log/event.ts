/** The vocabulary of the log. `data` and `metadata` are JSON texts, stored and passed on exactly as they were sent. */

/** The log of one topic: a name that is reused for a new topic gets a new uid. */
export interface LogRef {
  readonly tenantId: string;
  readonly topicUid: string;
}

/** An event on its way into the log. */
export interface NewEvent {
  readonly id: string;
  /** Whether the producer chose the id: only then can it have been stored before. */
  readonly idGiven: boolean;
  readonly type: string;
  readonly data: string;
  readonly key: string | null;
  readonly stream: string | null;
  /** Milliseconds since the epoch; null: the time of recording. */
  readonly occurredAt: number | null;
  readonly schemaVersion: number | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly metadata: string | null;
  /** UTF-8 bytes that the event adds to limits and sizes. */
  readonly bytes: number;
}

/** An event as stored. Positions are 1, 2, 3 … in a topic; times are milliseconds since the epoch. */
export interface StoredEvent extends Omit<NewEvent, 'idGiven' | 'bytes'> {
  readonly position: number;
  readonly streamVersion: number | null;
  readonly recordedAt: number;
  readonly publishedBy: string;
  /** Running total of the topic's bytes, including this event. */
  readonly logBytes: number;
}

/** The position of an event, with its log's totals up to it. */
export type EventPlace = Pick<StoredEvent, 'position' | 'logBytes' | 'recordedAt' | 'streamVersion'>;

/** The row of an event at that position. */
export const eventRow = (event: NewEvent, place: EventPlace, publishedBy: string): StoredEvent => ({
  position: place.position,
  logBytes: place.logBytes,
  recordedAt: place.recordedAt,
  occurredAt: event.occurredAt,
  streamVersion: place.streamVersion,
  schemaVersion: event.schemaVersion,
  id: event.id,
  type: event.type,
  key: event.key,
  stream: event.stream,
  correlationId: event.correlationId,
  causationId: event.causationId,
  traceparent: event.traceparent,
  tracestate: event.tracestate,
  publishedBy,
  metadata: event.metadata,
  data: event.data,
});

/** The version that a stream must have for the append to take place; 0 means that it does not exist yet. */
export type ExpectedStreamVersion = number | 'any';

/** Events of one call: all of them are stored, or none. */
export interface AppendRequest extends LogRef {
  readonly events: readonly NewEvent[];
  readonly publishedBy: string;
  readonly expectedStreamVersion: ExpectedStreamVersion;
}

export interface AppendedEvent {
  readonly id: string;
  readonly position: number;
  readonly streamVersion: number | null;
  /** The same event had been stored before; `position` is where. */
  readonly duplicate: boolean;
}

export interface AppendResult {
  readonly events: readonly AppendedEvent[];
}
