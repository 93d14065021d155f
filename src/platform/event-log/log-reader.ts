import type { Database, Row, Statement } from '../postgres/database.js';
import { EVENT_COLUMNS, READ_HEADS, toStoredEvent } from './append-sql.js';
import type { LogRef, StoredEvent } from './event.js';
import { logGone } from './log-errors.js';

/** Which events a read returns. Types are exact names, or prefixes that end in `*`. */
export interface ReadFilter {
  readonly types?: readonly string[];
  readonly key?: string;
  readonly stream?: string;
}

export interface PageRequest {
  readonly order: 'asc' | 'desc';
  /** Positions strictly between these are read. */
  readonly after: number;
  readonly before: number;
  readonly limit: number;
  readonly filter?: ReadFilter;
}

export interface EventPage {
  /** In the requested order, all of them matching. */
  readonly events: StoredEvent[];
  /** The last position that was examined: everything up to it, in the requested order, was checked against the filter. */
  readonly scannedTo: number;
}

export interface LogBounds {
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly eventCount: number;
  readonly bytes: number;
}

/** Positions that one statement examines: a filter that matches nothing costs some milliseconds a statement, never a scan of the topic. */
const SCAN_WINDOW = 20_000;
/** Bytes of data in one page; a page contains at least one event. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * No row for a deleted log; if there is nothing to read, one row of NULLs. It takes one statement, because the events of a deleted topic
 * are removed in batches: the remaining ones would look like all there is.
 */
const scan = (order: 'ASC' | 'DESC'): Statement => ({
  name: `scan-${order.toLowerCase()}`,
  text: `
SELECT ${EVENT_COLUMNS} FROM topic_head LEFT JOIN LATERAL (
  SELECT ${EVENT_COLUMNS}, sum(octet_length(data)) OVER (ORDER BY position ${order} ROWS UNBOUNDED PRECEDING) - octet_length(data) AS bytes_before
  FROM event
  WHERE tenant_id = $1 AND topic_uid = $2 AND position > $3 AND position < $4
    AND ($5::text[] IS NULL OR type = ANY ($5) OR type LIKE ANY ($6::text[]))
    AND ($7::text IS NULL OR key = $7) AND ($8::text IS NULL OR stream = $8)
  ORDER BY position ${order} LIMIT $9
) page ON bytes_before < $10 WHERE tenant_id = $1 AND topic_uid = $2 ORDER BY position ${order}`,
});
const SCAN = { asc: scan('ASC'), desc: scan('DESC') };

const FOLLOW: Statement = {
  name: 'follow',
  text: `
SELECT ${EVENT_COLUMNS} FROM (
  SELECT ${EVENT_COLUMNS}, log_bytes - first_value(log_bytes) OVER (ORDER BY position) AS bytes_before
  FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND position > $3
    AND EXISTS (SELECT 1 FROM topic_head WHERE tenant_id = $1 AND topic_uid = $2)
  ORDER BY position LIMIT $4
) page WHERE bytes_before < $5 ORDER BY position`,
};

const BY_ID: Statement = {
  name: 'event-by-id',
  text: `SELECT ${EVENT_COLUMNS} FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND event_id = $3`,
};

/** No row for a deleted log, as above. */
const STREAM_PAGE: Statement = {
  name: 'stream-page',
  text: `
SELECT ${EVENT_COLUMNS} FROM topic_head LEFT JOIN LATERAL (
  SELECT ${EVENT_COLUMNS}, coalesce(sum(octet_length(data)) OVER (ORDER BY stream_version
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
  FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND stream = $3 AND stream_version > $4 ORDER BY stream_version LIMIT $5
) page ON bytes_before < $6 WHERE tenant_id = $1 AND topic_uid = $2 ORDER BY stream_version`,
};

const STREAM_VERSION: Statement = {
  name: 'stream-version',
  text: `SELECT max(stream_version) FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND stream = $3`,
};

const STREAM_TYPES: Statement = {
  name: 'stream-types',
  text: `SELECT stream_version, type FROM event
  WHERE tenant_id = $1 AND topic_uid = $2 AND stream = $3 AND stream_version < $4 ORDER BY stream_version DESC LIMIT $5`,
};

const BOUNDS: Statement = {
  name: 'log-bounds',
  text: `
SELECT coalesce(first.position, h.base_position + 1), coalesce(last.position, h.base_position),
  coalesce(last.log_bytes - first.log_bytes + octet_length(first.data) + coalesce(octet_length(first.metadata), 0), 0)
FROM topic_head h
LEFT JOIN LATERAL (SELECT position, log_bytes, data, metadata FROM event
  WHERE tenant_id = $1 AND topic_uid = $2 ORDER BY position LIMIT 1) first ON true
LEFT JOIN LATERAL (SELECT position, log_bytes FROM event
  WHERE tenant_id = $1 AND topic_uid = $2 ORDER BY position DESC LIMIT 1) last ON true
WHERE h.tenant_id = $1 AND h.topic_uid = $2`,
};

const RECORDED_AT: Statement = {
  name: 'recorded-at',
  text: `SELECT position, recorded_at FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND position >= $3 ORDER BY position LIMIT 1`,
};

/** Reads of the log. Nothing here takes a lock, and every statement is bounded in rows and bytes. */
export class LogReader {
  constructor(private readonly database: Database) {}

  /** The events after a position, in order: at most `limit` and about 4 MiB. Empty at the end of the log, and if it was deleted. */
  async follow(log: LogRef, after: number, limit: number): Promise<StoredEvent[]> {
    const rows = await this.database.rows(FOLLOW, [log.tenantId, log.topicUid, after, limit, PAGE_BYTES_MAX]);
    return rows.map((row) => toStoredEvent(row));
  }

  /** One window of a filtered read. The caller continues from `scannedTo` until it has enough. Throws `log-gone`. */
  async scan(log: LogRef, { order, after, before, limit, filter = {} }: PageRequest): Promise<EventPage> {
    const forward = order === 'asc';
    const from = forward ? after : Math.max(after, before - 1 - SCAN_WINDOW);
    const to = forward ? Math.min(before, after + 1 + SCAN_WINDOW) : before;
    const { exact, patterns } = splitTypes(filter.types);
    const found = await this.database.rows(SCAN[order], [
      log.tenantId,
      log.topicUid,
      from,
      to,
      exact,
      patterns,
      filter.key ?? null,
      filter.stream ?? null,
      limit + 1,
      PAGE_BYTES_MAX,
    ]);
    const rows = rowsOf(found);
    const events = rows.slice(0, limit).map((row) => toStoredEvent(row));
    const cut = rows.length > limit || sumBytes(events) >= PAGE_BYTES_MAX;
    const end = forward ? to - 1 : from + 1;
    return { events, scannedTo: cut ? events[events.length - 1]!.position : end };
  }

  async byId(log: LogRef, id: string): Promise<StoredEvent | undefined> {
    const [row] = await this.database.rows(BY_ID, [log.tenantId, log.topicUid, id]);
    return row && toStoredEvent(row);
  }

  /** The first event at or after a position. */
  async at(log: LogRef, position: number): Promise<StoredEvent | undefined> {
    const [event] = await this.follow(log, position - 1, 1);
    return event;
  }

  /** Events of one stream with a version above `afterVersion`, in order of versions. Throws `log-gone`. */
  async stream(log: LogRef, stream: string, afterVersion: number, limit: number): Promise<StoredEvent[]> {
    const rows = await this.database.rows(STREAM_PAGE, [
      log.tenantId,
      log.topicUid,
      stream,
      afterVersion,
      limit,
      PAGE_BYTES_MAX,
    ]);
    return rowsOf(rows).map((row) => toStoredEvent(row));
  }

  /** 0 for a stream that does not exist. */
  async streamVersion(log: LogRef, stream: string): Promise<number> {
    const [row] = await this.database.rows(STREAM_VERSION, [log.tenantId, log.topicUid, stream]);
    return (row?.[0] as number | null) ?? 0;
  }

  /** Versions below one and the types of their events, the highest first. */
  async streamTypes(
    log: LogRef,
    stream: string,
    beforeVersion: number,
    limit: number,
  ): Promise<{ readonly version: number; readonly type: string }[]> {
    const rows = await this.database.rows(STREAM_TYPES, [log.tenantId, log.topicUid, stream, beforeVersion, limit]);
    return rows.map(([version, type]) => ({ version: version as number, type: type as string }));
  }

  async bounds(log: LogRef): Promise<LogBounds | undefined> {
    const [row] = await this.database.rows(BOUNDS, [log.tenantId, log.topicUid]);
    if (!row) return undefined;
    const [firstPosition, lastPosition, bytes] = row as [number, number, number];
    return { firstPosition, lastPosition, eventCount: lastPosition - firstPosition + 1, bytes };
  }

  /** Last positions of logs of one tenant, by topic uid; logs that do not exist are missing. */
  async heads(tenantId: string, topicUids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.database.rows(READ_HEADS, [tenantId, topicUids]);
    return new Map(rows.map(([uid, position]) => [uid as string, position as number]));
  }

  /**
   * The position of the last event recorded before a time (0 if none): reading after it begins at that time. Time order is position order,
   * so this is a binary search of about log2(n) primary-key probes.
   */
  async positionBefore(log: LogRef, timeMs: number): Promise<number> {
    const bounds = await this.bounds(log);
    if (!bounds || bounds.eventCount === 0) return bounds?.lastPosition ?? 0;
    let low = bounds.firstPosition;
    let high = bounds.lastPosition + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [row] = await this.database.rows(RECORDED_AT, [log.tenantId, log.topicUid, middle]);
      if (row === undefined || (row[1] as number) >= timeMs) high = middle;
      else low = (row[0] as number) + 1;
    }
    return low - 1;
  }
}

function rowsOf(found: readonly Row[]): readonly Row[] {
  if (found.length === 0) throw logGone();
  return found[0]![0] === null ? [] : found;
}

const sumBytes = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);

const isPrefix = (type: string): boolean => type.endsWith('*');

function splitTypes(types: readonly string[] | undefined): { exact: string[] | null; patterns: string[] } {
  if (!types) return { exact: null, patterns: [] };
  return {
    exact: types.filter((type) => !isPrefix(type)),
    patterns: types.filter(isPrefix).map((type) => `${type.slice(0, -1).replace(/[\\%_]/g, '\\$&')}%`),
  };
}
