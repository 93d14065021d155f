import type { PersistentConnections } from '../postgres/persistent-connections.js';
import { Pipeline } from '../postgres/pipeline.js';
import { BEGIN, type Database, type Row, type Sql, type Statement } from '../postgres/database.js';
import type { KnownEnd } from './append-plan.js';
import {
  append,
  joinTexts,
  LOCK_HEADS,
  READ_BY_IDS,
  READ_HEADS,
  READ_STREAM_VERSIONS,
  toStoredEvent,
} from './append-sql.js';
import type { AppendRequest, StoredEvent } from './event.js';

const ENDS_MAX = 10_000;
const STREAMS_MAX = 10_000;
/** For all ends together: some 40 MB. */
const STREAMS_TOTAL_MAX = 200_000;

/** Topic uids that no longer exist. */
export type Gone = ReadonlySet<string>;

/** A log does not end with the event that the rows should follow. `partly`: the rows of other topics of the flush are stored. */
export class UnexpectedLogEnd extends Error {
  constructor(readonly partly: boolean) {
    super('The log does not end as planned.');
  }
}

/** The appender's reads and writes, and its cache of where each log ends. */
export class AppendStore {
  /** By topic uid; the least recently read is dropped first. */
  private readonly ends = new Map<string, KnownEnd>();
  /** How many streams each of them had when it was last cached. */
  private readonly streams = new Map<string, number>();
  private streamsTotal = 0;
  readonly connection: PersistentConnections;

  constructor(database: Database) {
    this.connection = database.append;
  }

  pipeline(): Pipeline {
    return new Pipeline(this.connection);
  }

  /** Drops the cached ends of these logs: another instance has appended, or a reply was lost. */
  forget(uids: readonly string[]): void {
    for (const uid of uids) {
      this.ends.delete(uid);
      this.streamsTotal -= this.streams.get(uid) ?? 0;
      this.streams.delete(uid);
    }
  }

  /** Whether a flush may be planned on ends that are not stored yet, because nothing of them would have to be read. */
  hasCached(uids: readonly string[]): boolean {
    return uids.every((uid) => (this.ends.get(uid)?.streams.size ?? Infinity) <= STREAMS_MAX);
  }

  /** From the cache if possible: valid only as long as no one else has appended, which the unique keys check. */
  async cachedEnds(tenantId: string, uids: readonly string[]): Promise<Map<string, KnownEnd>> {
    const found = new Map<string, KnownEnd>();
    for (const uid of uids) {
      const end = this.ends.get(uid);
      if (end) found.set(uid, end);
    }
    const missing = uids.filter((uid) => !found.has(uid));
    if (missing.length > 0)
      for (const [uid, end] of await this.readEnds(this.connection, tenantId, missing)) found.set(uid, end);
    for (const [uid, end] of found) this.cache(uid, end);
    return found;
  }

  private cache(uid: string, end: KnownEnd): void {
    this.forget([uid]);
    this.ends.set(uid, end);
    this.streams.set(uid, end.streams.size);
    this.streamsTotal += end.streams.size;
    while (this.ends.size > ENDS_MAX || this.streamsTotal > STREAMS_TOTAL_MAX)
      this.forget([this.ends.keys().next().value!]);
  }

  async readEnds(sql: Sql, tenantId: string, uids: readonly string[]): Promise<Map<string, KnownEnd>> {
    const rows = await select(sql, READ_HEADS, [tenantId, uids]);
    return new Map(
      rows.map(([uid, position, logBytes, recordedAt]) => [
        uid as string,
        { position, logBytes, recordedAt, lastId: null, streams: new Map<string, number>() } as KnownEnd,
      ]),
    );
  }

  /** Adds the versions of all streams that the requests name and the ends do not have. */
  async readStreams(sql: Sql, requests: readonly AppendRequest[], ends: ReadonlyMap<string, KnownEnd>): Promise<void> {
    const uids: string[] = [];
    const streams: string[] = [];
    const asked = new Set<string>();
    // Before anything is read: all that these requests need must be present when they are planned.
    for (const end of ends.values()) if (end.streams.size > STREAMS_MAX) end.streams.clear();
    for (const { topicUid, events } of requests) {
      const end = ends.get(topicUid);
      if (!end) continue;
      for (const { stream } of events) {
        if (stream === null || end.streams.has(stream) || asked.has(topicUid + stream)) continue;
        asked.add(topicUid + stream);
        uids.push(topicUid);
        streams.push(stream);
      }
    }
    if (streams.length === 0) return;
    const rows = await select(sql, READ_STREAM_VERSIONS, [requests[0]!.tenantId, uids, joinTexts(streams)]);
    for (const [uid, stream, version] of rows) {
      ends.get(uid as string)!.streams.set(stream as string, version as number);
    }
  }

  /** Stored events with an id of the requests, by topic uid and id. */
  async readKnown(sql: Sql, requests: readonly AppendRequest[]): Promise<Map<string, Map<string, StoredEvent>>> {
    const uids = requests.flatMap(({ topicUid, events }) => events.map(() => topicUid));
    const ids = requests.flatMap(({ events }) => events.map(({ id }) => id));
    const known = new Map<string, Map<string, StoredEvent>>();
    const rows = await select(sql, READ_BY_IDS, [requests[0]!.tenantId, uids, joinTexts(ids)]);
    for (const row of rows) {
      const event = toStoredEvent(row, 1);
      const ofTopic = known.get(row[0] as string);
      if (ofTopic) ofTopic.set(event.id, event);
      else known.set(row[0] as string, new Map([[event.id, event]]));
    }
    return known;
  }

  /**
   * Inserts the rows of a flush, all topics in one statement. Returns which topics no longer exist: their rows were left out. Throws
   * UnexpectedLogEnd if others were left out as well.
   */
  async insert(
    sql: Sql,
    tenantId: string,
    rows: ReadonlyMap<string, StoredEvent[]>,
    ends: ReadonlyMap<string, KnownEnd>,
  ): Promise<Gone> {
    let expected = 0;
    for (const own of rows.values()) expected += own.length;
    const result = await sql.query(append(tenantId, rows, ends));
    if (result.rowCount === expected) return new Set();
    const left = await this.readEnds(sql, tenantId, [...rows.keys()]);
    const gone = new Set([...rows.keys()].filter((uid) => !left.has(uid)));
    for (const uid of gone) expected -= rows.get(uid)!.length;
    if (result.rowCount !== expected) throw new UnexpectedLogEnd((result.rowCount ?? 0) > 0);
    return gone;
  }

  /** Caches the ends as the rows leave them. Callers that do so before the commit must forget them if it fails. */
  advance(ends: ReadonlyMap<string, KnownEnd>, rows: ReadonlyMap<string, readonly StoredEvent[]>): void {
    for (const [uid, own] of rows) {
      const end = ends.get(uid)!;
      const last = own[own.length - 1]!;
      end.position = last.position;
      end.logBytes = last.logBytes;
      end.recordedAt = last.recordedAt;
      end.lastId = last.id;
      for (const { stream, streamVersion } of own) if (stream !== null) end.streams.set(stream, streamVersion!);
      this.cache(uid, end);
    }
  }

  /** Runs `work` in a transaction that holds the heads of the topics locked, so that their ends cannot move. */
  locked<T>(tenantId: string, uids: readonly string[], work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.connection.use(async (client) => {
      try {
        await client.query(BEGIN);
        await client.query({ ...LOCK_HEADS, values: [tenantId, uids] });
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        // If that fails too, the connection is broken, and its error is the one that counts.
        await client.query('ROLLBACK');
        throw error;
      }
    });
  }
}

async function select(sql: Sql, statement: Statement, values: unknown[]): Promise<Row[]> {
  const result = await sql.query<Row>({ ...statement, values, rowMode: 'array' });
  return result.rows;
}
