import { randomUUID } from 'node:crypto';
import type { ClientConfig } from 'pg';
import { Clock, SystemClock } from '../../../src/kernel/clock.js';
import { newId } from '../../../src/kernel/ids.js';
import {
  Appender,
  Hints,
  LogReader,
  Tails,
  type AppendRequest,
  type LogRef,
  type NewEvent,
  type StoredEvent,
} from '../../../src/platform/event-log/index.js';
import type { Database } from '../../../src/platform/postgres/database.js';
import { Presence } from '../../../src/platform/postgres/presence.js';
import { openDatabase } from './postgres.js';

/** All parts of one process that use the log. Two of them on one database are two instances of the product. */
export interface Instance {
  readonly database: Database;
  readonly reader: LogReader;
  readonly hints: Hints;
  readonly presence: Presence;
  readonly tails: Tails;
  readonly appender: Appender;
  /** Errors of background work. */
  readonly complaints: unknown[];
  close(): Promise<void>;
}

export interface InstanceOptions {
  readonly clock?: Clock;
  readonly queueEventsMax?: number;
  readonly queueBytesMax?: number;
  readonly patienceMs?: number;
  readonly followEventsMin?: number;
  readonly pollMs?: number;
  readonly cacheBytesMax?: number;
  /** Whether it sends and receives hints, as instances that share a store do. */
  readonly shared?: boolean;
}

export async function openInstance(connection: ClientConfig, options: InstanceOptions = {}): Promise<Instance> {
  const complaints: unknown[] = [];
  const complain = (error: unknown): void => void complaints.push(error);
  const database = openDatabase(connection, { onError: complain });
  const reader = new LogReader(database);
  const presence = new Presence(!(options.shared ?? true));
  const hints = new Hints(database, !presence.alone, presence, complain);
  const tails = new Tails(reader, hints, {
    cacheBytesMax: options.cacheBytesMax ?? 32 * 1024 * 1024,
    pollMs: options.pollMs ?? 50,
    onError: complain,
    onFlush: () => undefined,
  });
  const appender = new Appender(database, options.clock ?? new SystemClock(), tails, {
    queueEventsMax: options.queueEventsMax ?? 10_000,
    queueBytesMax: options.queueBytesMax ?? 64 * 1024 * 1024,
    patienceMs: options.patienceMs ?? 10_000,
    ...(options.followEventsMin !== undefined && { followEventsMin: options.followEventsMin }),
  });
  await hints.start();
  const close = async (): Promise<void> => {
    await appender.settled();
    await tails.close();
    await hints.close();
    await database.close();
  };
  return { database, reader, hints, presence, tails, appender, complaints, close };
}

/** The log of a topic without the topic: its head row. */
export async function createLog(database: Database, tenantId = 'acme'): Promise<LogRef> {
  const topicUid = randomUUID();
  await database.query(
    { name: 'test-create-log', text: 'INSERT INTO topic_head (tenant_id, topic_uid) VALUES ($1, $2)' },
    [tenantId, topicUid],
  );
  return { tenantId, topicUid };
}

export async function dropLog(database: Database, { tenantId, topicUid }: LogRef): Promise<void> {
  await database.query(
    { name: 'test-drop-log', text: 'DELETE FROM topic_head WHERE tenant_id = $1 AND topic_uid = $2' },
    [tenantId, topicUid],
  );
}

/** An event as publishing hands it over. A named `id` is one that the producer gave. */
export function newEvent(fields: Partial<NewEvent> = {}): NewEvent {
  const data = fields.data ?? '{"n":1}';
  return {
    id: fields.id ?? newId('evt'),
    idGiven: fields.id !== undefined,
    type: 'order.created',
    key: null,
    stream: null,
    occurredAt: null,
    schemaVersion: null,
    correlationId: null,
    causationId: null,
    traceparent: null,
    tracestate: null,
    metadata: null,
    bytes: Buffer.byteLength(data) + Buffer.byteLength(fields.metadata ?? ''),
    ...fields,
    data,
  };
}

export function request(log: LogRef, events: readonly NewEvent[], fields: Partial<AppendRequest> = {}): AppendRequest {
  return { ...log, events, publishedBy: 'usr_test', expectedStreamVersion: 'any', ...fields };
}

/** A whole log, from its first event to its last. */
export async function readAll(reader: LogReader, log: LogRef): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const page = await reader.follow(log, all.at(-1)?.position ?? 0, 1_000);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** A clock that the test sets. */
export class SetClock extends Clock {
  constructor(public time: number) {
    super();
  }

  now(): number {
    return this.time;
  }
}
