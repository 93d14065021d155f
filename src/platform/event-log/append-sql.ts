import type { Row, Statement } from '../postgres/database.js';
import type { KnownEnd } from './append-plan.js';
import type { StoredEvent } from './event.js';

/*
 * A text column of a flush is sent as ONE string, its values joined by RS and NULL written as US, and becomes an array in the server.
 * Neither character can occur: JSON texts contain no raw control characters, and names and ids with them are refused. Compared with
 * PostgreSQL array literals this saves quoting every quote and backslash on both sides; with multi-row VALUES, 16 parameters a row.
 */
const VALUE_SEPARATOR = '\u001e';
const NULL_MARK = '\u001f';
const SHORT_CHARS = 4_096;

const texts = (parameter: number): string => `string_to_array($${parameter}::text, E'\\x1e', E'\\x1f')`;

/**
 * One statement a flush: it locks the heads (in the order of `$2`, the same for all instances, so that they never deadlock), which proves
 * that the topics exist and serialises instances, then inserts rows whose positions the appender chose. The unique key (topic, position) is
 * the arbiter: rows planned on an end that is too low are refused as a whole.
 *
 * It leaves out rows of deleted topics, and rows that would not follow the event they were planned to follow: a store was restored, or a
 * standby promoted, behind a running instance; or the flush before, still in progress when this one was planned, has failed. Position, id,
 * bytes and time of that event are compared: a producer may have given the id to another instance as well.
 *
 * The form leaves the planner only one plan. PostgreSQL plans before there are statistics, and keeps that plan until there are: with
 * EXISTS, or an event looked up without ORDER BY, it read all events of the tenant (12 ms a flush after 10,000 of them, against 1 to 2 ms).
 * `log-plans.spec.ts` guards it.
 */
const APPEND: Statement = {
  name: 'append',
  text: `
WITH head AS MATERIALIZED (
  SELECT h.topic_uid FROM unnest($2::uuid[], $21::bigint[], ${texts(22)}, $23::bigint[], $24::bigint[])
    AS follows (topic_uid, position, event_id, log_bytes, recorded_at)
  CROSS JOIN LATERAL (
    SELECT topic_uid, base_position FROM topic_head WHERE tenant_id = $1 AND topic_uid = follows.topic_uid FOR NO KEY UPDATE
  ) AS h
  WHERE follows.position = h.base_position OR follows.position = (
    SELECT CASE WHEN follows.event_id IS NULL
      OR (e.event_id, e.log_bytes, e.recorded_at) = (follows.event_id, follows.log_bytes, follows.recorded_at) THEN e.position END
    FROM event e WHERE e.tenant_id = $1 AND e.topic_uid = follows.topic_uid AND e.position >= follows.position
    ORDER BY e.position LIMIT 1)
)
INSERT INTO event (tenant_id, topic_uid, position, log_bytes, recorded_at, occurred_at, stream_version, schema_version,
  event_id, type, key, stream, correlation_id, causation_id, traceparent, tracestate, published_by, metadata, data)
SELECT $1, head.topic_uid, r.position, r.log_bytes, r.recorded_at, r.occurred_at, r.stream_version, r.schema_version,
  r.event_id, r.type, r.key, r.stream, r.correlation_id, r.causation_id, r.traceparent, r.tracestate, r.published_by, r.metadata, r.data
FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::integer[],
  ${[10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20].map(texts).join(', ')})
  AS r (topic_uid, position, log_bytes, recorded_at, occurred_at, stream_version, schema_version,
  event_id, type, key, stream, correlation_id, causation_id, traceparent, tracestate, published_by, metadata, data)
JOIN head ON head.topic_uid = r.topic_uid`,
};

/**
 * The same for a flush of one event, the usual case of a store under light load. Its values are sent as they are. Compared with APPEND,
 * whose 23 arrays are built, unfolded and joined for one row, PostgreSQL needs 170 µs of CPU for it instead of 340, including the write to
 * disk (290 and 440 with some milliseconds between two).
 */
const APPEND_ONE: Statement = {
  name: 'append-one',
  text: `
WITH head AS MATERIALIZED (
  SELECT topic_uid, base_position FROM topic_head WHERE tenant_id = $1 AND topic_uid = $2 FOR NO KEY UPDATE
)
INSERT INTO event (tenant_id, topic_uid, position, log_bytes, recorded_at, occurred_at, stream_version, schema_version,
  event_id, type, key, stream, correlation_id, causation_id, traceparent, tracestate, published_by, metadata, data)
SELECT $1, head.topic_uid, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::integer,
  $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
FROM head WHERE $20::bigint = head.base_position OR $20 = (
  SELECT CASE WHEN $21::text IS NULL
    OR (e.event_id, e.log_bytes, e.recorded_at) = ($21, $22::bigint, $23::bigint) THEN e.position END
  FROM event e WHERE e.tenant_id = $1 AND e.topic_uid = $2 AND e.position >= $20
  ORDER BY e.position LIMIT 1)`,
};

/** The order of columns in every read of events; `toStoredEvent` relies on it. */
export const EVENT_COLUMNS = `position, log_bytes, recorded_at, occurred_at, stream_version, schema_version,
  event_id, type, key, stream, correlation_id, causation_id, traceparent, tracestate, published_by, metadata, data`;

export const LOCK_HEADS: Statement = {
  name: 'lock-heads',
  text: `SELECT topic_uid FROM topic_head WHERE tenant_id = $1 AND topic_uid = ANY ($2::uuid[]) ORDER BY topic_uid FOR NO KEY UPDATE`,
};

export const READ_HEADS: Statement = {
  name: 'read-heads',
  text: `
SELECT h.topic_uid, coalesce(e.position, h.base_position), coalesce(e.log_bytes, h.base_log_bytes), coalesce(e.recorded_at, h.base_recorded_at)
FROM topic_head h LEFT JOIN LATERAL (
  SELECT position, log_bytes, recorded_at FROM event WHERE tenant_id = $1 AND topic_uid = h.topic_uid ORDER BY position DESC LIMIT 1
) e ON true
WHERE h.tenant_id = $1 AND h.topic_uid = ANY ($2::uuid[])`,
};

export const READ_STREAM_VERSIONS: Statement = {
  name: 'read-stream-versions',
  text: `
SELECT s.topic_uid, s.stream, coalesce((SELECT max(stream_version) FROM event
  WHERE tenant_id = $1 AND topic_uid = s.topic_uid AND stream = s.stream), 0)
FROM unnest($2::uuid[], ${texts(3)}) AS s (topic_uid, stream)`,
};

export const READ_BY_IDS: Statement = {
  name: 'read-by-ids',
  text: `
SELECT s.topic_uid, e.* FROM unnest($2::uuid[], ${texts(3)}) AS s (topic_uid, id)
CROSS JOIN LATERAL (
  SELECT ${EVENT_COLUMNS} FROM event WHERE tenant_id = $1 AND topic_uid = s.topic_uid AND event_id >= s.id ORDER BY event_id LIMIT 1
) AS e WHERE e.event_id = s.id`,
};

export function joinTexts(values: readonly (string | null)[]): string {
  return values.map((value) => value ?? NULL_MARK).join(VALUE_SEPARATOR);
}

/**
 * A column that is NULL in every row is sent as NULL: unnest fills it up. Long ones are sent as bytes, because `pg` walks a string twice,
 * to measure and to write it.
 */
function column(rows: readonly StoredEvent[], pick: (row: StoredEvent) => string | null): string | Buffer | null {
  let joined = '';
  let any = false;
  for (let i = 0; i < rows.length; i++) {
    const value = pick(rows[i]!);
    if (value !== null) any = true;
    if (i > 0) joined += VALUE_SEPARATOR;
    joined += value ?? NULL_MARK;
  }
  if (!any) return null;
  return joined.length < SHORT_CHARS ? joined : Buffer.from(joined);
}

function numbers(rows: readonly StoredEvent[], pick: (row: StoredEvent) => number | null): string | null {
  let joined = '';
  let any = false;
  for (let i = 0; i < rows.length; i++) {
    const value = pick(rows[i]!);
    if (value !== null) any = true;
    if (i > 0) joined += ',';
    joined += value ?? 'NULL';
  }
  return any ? `{${joined}}` : null;
}

/** Builds the statement for the rows of one flush; `ends`: what they were planned to follow, as far as known. */
export function append(
  tenantId: string,
  rowsByTopic: ReadonlyMap<string, readonly StoredEvent[]>,
  ends?: ReadonlyMap<string, KnownEnd>,
): Statement & { readonly values: unknown[] } {
  const [first] = rowsByTopic;
  const [uid, rows] = first!;
  return rowsByTopic.size === 1 && rows.length === 1
    ? { ...APPEND_ONE, values: valuesOfOne(tenantId, uid, rows[0]!, ends?.get(uid)) }
    : { ...APPEND, values: valuesOfMany(tenantId, rowsByTopic, ends) };
}

const valuesOfOne = (tenantId: string, topicUid: string, row: StoredEvent, end: KnownEnd | undefined): unknown[] => [
  tenantId,
  topicUid,
  row.position,
  row.logBytes,
  row.recordedAt,
  row.occurredAt,
  row.streamVersion,
  row.schemaVersion,
  row.id,
  row.type,
  row.key,
  row.stream,
  row.correlationId,
  row.causationId,
  row.traceparent,
  row.tracestate,
  row.publishedBy,
  row.metadata,
  row.data,
  row.position - 1,
  end?.lastId ?? null,
  end?.logBytes ?? null,
  end?.recordedAt ?? null,
];

function valuesOfMany(
  tenantId: string,
  rowsByTopic: ReadonlyMap<string, readonly StoredEvent[]>,
  ends?: ReadonlyMap<string, KnownEnd>,
): unknown[] {
  // The order of locks in APPEND and in LOCK_HEADS.
  const topics = [...rowsByTopic.keys()].toSorted();
  const rows = rowsByTopic.size === 1 ? rowsByTopic.get(topics[0]!)! : [...rowsByTopic.values()].flat();
  const follows = topics.map((uid) => ends?.get(uid));
  const uids = [...rowsByTopic].map(([uid, own]) => `${uid},`.repeat(own.length)).join('');
  return [
    tenantId,
    `{${topics.join(',')}}`,
    `{${uids.slice(0, -1)}}`,
    numbers(rows, (row) => row.position),
    numbers(rows, (row) => row.logBytes),
    numbers(rows, (row) => row.recordedAt),
    numbers(rows, (row) => row.occurredAt),
    numbers(rows, (row) => row.streamVersion),
    numbers(rows, (row) => row.schemaVersion),
    column(rows, (row) => row.id),
    column(rows, (row) => row.type),
    column(rows, (row) => row.key),
    column(rows, (row) => row.stream),
    column(rows, (row) => row.correlationId),
    column(rows, (row) => row.causationId),
    column(rows, (row) => row.traceparent),
    column(rows, (row) => row.tracestate),
    column(rows, (row) => row.publishedBy),
    column(rows, (row) => row.metadata),
    column(rows, (row) => row.data),
    `{${topics.map((uid) => rowsByTopic.get(uid)![0]!.position - 1).join(',')}}`,
    joinTexts(follows.map((end) => end?.lastId ?? null)),
    `{${follows.map((end) => end?.logBytes ?? 'NULL').join(',')}}`,
    `{${follows.map((end) => end?.recordedAt ?? 'NULL').join(',')}}`,
  ];
}

/** A row of EVENT_COLUMNS, starting at `from`. */
export function toStoredEvent(row: Row, from = 0): StoredEvent {
  return {
    position: row[from] as number,
    logBytes: row[from + 1] as number,
    recordedAt: row[from + 2] as number,
    occurredAt: row[from + 3] as number | null,
    streamVersion: row[from + 4] as number | null,
    schemaVersion: row[from + 5] as number | null,
    id: row[from + 6] as string,
    type: row[from + 7] as string,
    key: row[from + 8] as string | null,
    stream: row[from + 9] as string | null,
    correlationId: row[from + 10] as string | null,
    causationId: row[from + 11] as string | null,
    traceparent: row[from + 12] as string | null,
    tracestate: row[from + 13] as string | null,
    publishedBy: row[from + 14] as string,
    metadata: row[from + 15] as string | null,
    data: row[from + 16] as string,
  };
}
