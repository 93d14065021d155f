import { setTimeout as pause } from 'node:timers/promises';
import type { Actor, Aggregate, Changed, DomainEvent, Versioned } from '../../kernel/aggregate.js';
import type { Clock } from '../../kernel/clock.js';
import { defineErrors, DomainError } from '../../kernel/domain-error.js';
import { isMet, type ExpectedVersion } from '../../kernel/expected-version.js';
import { newId, SYSTEM_TENANT } from '../../kernel/ids.js';
import { auditedBy, type AuditTrail } from '../audit/index.js';
import type { Database, Sql } from '../postgres/database.js';
import { violatedKey } from '../postgres/sql-state.js';
import type { LogEnd } from './append-plan.js';
import { append, LOCK_HEADS, READ_HEADS, READ_STREAM_VERSIONS } from './append-sql.js';
import type { AppendListener } from './appender.js';
import { eventRow, type NewEvent, type StoredEvent } from './event.js';
import type { LogReader } from './log-reader.js';
import { ConflictError, retryOnConflict } from './retry-on-conflict.js';

const fail = defineErrors({
  'version-mismatch': { kind: 'precondition-failed', title: 'The resource has changed' },
});

const STREAM_PAGE = 1_000;
const LOOKS_MAX = 5;
const LOOK_AGAIN_MS = 200;

/** An aggregate and the read model that is written with its events. */
export abstract class AggregateRepository<S, E extends DomainEvent, R, F = unknown> {
  abstract readonly aggregate: Aggregate<S, E, R, F>;
  /**
   * The facts that the aggregate's `check` needs, as seen by the transaction that appends the events. It locks the rows that changes
   * outside of the aggregate's log may touch. Nothing for an aggregate without a `check`.
   */
  ask(_sql: Sql, _ref: R, _changed: Changed<S, E>): Promise<F> {
    return Promise.resolve(undefined as F);
  }
  /** Brings the read model up to `state`, in the transaction that appends the events. It decides nothing: see `check`. */
  abstract project(sql: Sql, ref: R, changed: Changed<S, E>, facts: F): Promise<void>;
}

export interface ChangeOptions<S = unknown> {
  /** The version that the caller has seen (`If-Match`, `If-None-Match`); with any other nothing changes. */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /** Whether the changed resource exists, for changes that may create it; other changes fail by themselves. */
  readonly exists?: (state: S) => boolean;
}

/**
 * Load, fold, decide, check, append with the version that was loaded, audit, project, commit; again after a conflict, five times in all.
 */
export class Aggregates {
  constructor(
    private readonly database: Database,
    private readonly reader: LogReader,
    private readonly clock: Clock,
    private readonly listener: Pick<AppendListener, 'appended'>,
    private readonly audit: Pick<AuditTrail, 'write'>,
  ) {}

  async load<S, E extends DomainEvent, R, F>(aggregate: Aggregate<S, E, R, F>, ref: R): Promise<Versioned<S>> {
    const log = { tenantId: SYSTEM_TENANT, topicUid: aggregate.topicUid };
    let state = aggregate.initial;
    let version = 0;
    let recordedAt = 0;
    for (;;) {
      const page = await this.reader.stream(log, aggregate.streamOf(ref), version, STREAM_PAGE);
      for (const event of page)
        state = aggregate.evolve(state, toDomainEvent(aggregate, event), { recordedAt: event.recordedAt });
      version += page.length;
      recordedAt = page.at(-1)?.recordedAt ?? recordedAt;
      // A page may be short because of its bytes; only the next one shows whether the log ends.
      if (page.length === 0) return { state, version, recordedAt };
    }
  }

  /** `decide` is pure: it returns the events to append (none: nothing changes) or throws a DomainError. */
  async change<S, E extends DomainEvent, R, F>(
    repository: AggregateRepository<S, E, R, F>,
    ref: R,
    actor: Actor,
    decide: (state: S) => readonly E[],
    options: ChangeOptions<S> = {},
  ): Promise<Versioned<S>> {
    const attempt = async (): Promise<Versioned<S>> => {
      const loaded = await this.load(repository.aggregate, ref);
      const events = decide(loaded.state);
      requireVersion(loaded.version, options.expectedVersion, options.exists?.(loaded.state));
      return events.length === 0 ? loaded : this.append(repository, ref, actor, loaded, events);
    };
    return retryOnConflict('The resource', attempt, isConflict);
  }

  private async append<S, E extends DomainEvent, R, F>(
    repository: AggregateRepository<S, E, R, F>,
    ref: R,
    actor: Actor,
    loaded: Versioned<S>,
    events: readonly E[],
  ): Promise<Versioned<S>> {
    const { aggregate } = repository;
    let tried: { readonly changed: Changed<S, E>; readonly rows: StoredEvent[] } | undefined;
    const write = async (sql: Sql): Promise<void> => {
      const end = await lockEnd(sql, aggregate.topicUid);
      await actor.confirm?.(sql);
      const recordedAt = Math.max(end.recordedAt, this.clock.now());
      const states = statesAfter(aggregate, loaded.state, events, recordedAt);
      const state = states.at(-1)!;
      const version = loaded.version + events.length;
      const changed = { before: loaded.state, state, version, recordedAt, events };
      const facts = await askAndCheck(sql, repository, ref, changed);
      const stored = toRows(aggregate, ref, actor, { end, recordedAt, version: loaded.version, events });
      await sql.query(append(SYSTEM_TENANT, new Map([[aggregate.topicUid, stored]])));
      await this.record(sql, aggregate, ref, actor, { loaded, events, states });
      await repository.project(sql, ref, changed, facts);
      tried = { changed, rows: stored };
    };
    try {
      await this.database.transaction(write);
    } catch (error) {
      if (!tried || !isUnavailable(error) || !(await this.wasStored(aggregate, ref, tried.rows[0]!))) throw error;
    }
    this.listener.appended(aggregate.topicUid, tried!.rows);
    actor.onWritten?.(aggregate.topicUid, tried!.rows.at(-1)!.position);
    return tried!.changed;
  }

  /** An audit record for each event, in the transaction that appends it. */
  private async record<S, E extends DomainEvent, R, F>(
    sql: Sql,
    aggregate: Aggregate<S, E, R, F>,
    ref: R,
    actor: Actor,
    { loaded, events, states }: { loaded: Versioned<S>; events: readonly E[]; states: readonly S[] },
  ): Promise<void> {
    const context = { ...auditedBy(actor), tenantId: aggregate.tenantOf(ref), resource: aggregate.resourceOf(ref) };
    for (const [i, event] of events.entries()) {
      const before = loaded.version + i === 0 ? null : (states[i - 1] ?? loaded.state);
      await this.audit.write(sql, { ...context, action: event.type, outcome: 'success', before, after: states[i] });
    }
  }

  /** The reply to a commit may be lost although it took effect. If the store stays unreachable, the outcome is unknown. */
  private async wasStored<S, E extends DomainEvent, R, F>(
    aggregate: Aggregate<S, E, R, F>,
    ref: R,
    first: StoredEvent,
  ): Promise<boolean> {
    const log = { tenantId: SYSTEM_TENANT, topicUid: aggregate.topicUid };
    for (let attempt = 1; attempt <= LOOKS_MAX; attempt++) {
      await pause(LOOK_AGAIN_MS);
      try {
        const [found] = await this.reader.stream(log, aggregate.streamOf(ref), first.streamVersion! - 1, 1);
        return found?.id === first.id;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
      }
    }
    return false;
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof ConflictError || violatedKey(error) === 'event_stream_key';

function statesAfter<S, E extends DomainEvent, R, F>(
  aggregate: Aggregate<S, E, R, F>,
  before: S,
  events: readonly E[],
  recordedAt: number,
): S[] {
  let state = before;
  return events.map((event) => (state = aggregate.evolve(state, event, { recordedAt })));
}

/** A refusal must never depend on a state that was loaded before another change: then the change is decided again, as after a conflict. */
async function askAndCheck<S, E extends DomainEvent, R, F>(
  sql: Sql,
  repository: AggregateRepository<S, E, R, F>,
  ref: R,
  changed: Changed<S, E>,
): Promise<F> {
  const { aggregate } = repository;
  try {
    const facts = await repository.ask(sql, ref, changed);
    aggregate.check?.(facts, changed, ref);
    return facts;
  } catch (refusal) {
    if (!(refusal instanceof DomainError) || refusal.kind === 'unavailable') throw refusal;
    const values = [SYSTEM_TENANT, [aggregate.topicUid], aggregate.streamOf(ref)];
    const { rows } = await sql.query({ ...READ_STREAM_VERSIONS, values, rowMode: 'array' });
    const [, , version] = rows[0] as unknown as [string, string, number];
    throw version === changed.version - changed.events.length ? refusal : new ConflictError();
  }
}

const isUnavailable = (error: unknown): boolean => error instanceof DomainError && error.code === 'store-unavailable';

export function requireVersion(version: number, expected: ExpectedVersion | undefined, exists = version > 0): void {
  if (isMet(expected, { version, exists })) return;
  const found = exists ? `The resource is at version ${version}` : 'The resource does not exist';
  throw fail('version-mismatch', `${found}, which is not what the request expects.`);
}

async function lockEnd(sql: Sql, topicUid: string): Promise<LogEnd> {
  await sql.query({ ...LOCK_HEADS, values: [SYSTEM_TENANT, [topicUid]] });
  const result = await sql.query({ ...READ_HEADS, values: [SYSTEM_TENANT, [topicUid]], rowMode: 'array' });
  const [, position, logBytes, recordedAt] = result.rows[0] as unknown as [string, number, number, number];
  return { position, logBytes, recordedAt };
}

interface Addition<E> {
  readonly end: LogEnd;
  readonly recordedAt: number;
  readonly version: number;
  readonly events: readonly E[];
}

function toRows<S, E extends DomainEvent, R, F>(
  aggregate: Aggregate<S, E, R, F>,
  ref: R,
  actor: Actor,
  { end, recordedAt, version, events }: Addition<E>,
): StoredEvent[] {
  let { logBytes } = end;
  return events.map(({ type, data }, i) => {
    const event = newEvent(aggregate, ref, actor, type as E['type'], JSON.stringify(data));
    logBytes += event.bytes;
    const place = { position: end.position + 1 + i, logBytes, recordedAt, streamVersion: version + 1 + i };
    return eventRow(event, place, actor.id);
  });
}

const newEvent = <S, E extends DomainEvent, R, F>(
  aggregate: Aggregate<S, E, R, F>,
  ref: R,
  actor: Actor,
  type: E['type'],
  data: string,
): NewEvent => ({
  id: newId('evt'),
  idGiven: false,
  type,
  data,
  key: aggregate.tenantOf(ref),
  stream: aggregate.streamOf(ref),
  occurredAt: null,
  schemaVersion: aggregate.eventTypes[type].version,
  correlationId: actor.correlationId,
  causationId: null,
  traceparent: actor.traceparent,
  tracestate: actor.tracestate,
  metadata: null,
  bytes: Buffer.byteLength(data),
});

/** A stored event, upcast to the current version. */
export function toDomainEvent<S, E extends DomainEvent, R, F>(aggregate: Aggregate<S, E, R, F>, event: StoredEvent): E {
  const type = aggregate.eventTypes[event.type as E['type']];
  const data = JSON.parse(event.data) as object;
  const version = event.schemaVersion ?? 1;
  const current = version < type.version && type.upcast ? type.upcast(data, version) : data;
  return { type: event.type, data: current } as E;
}
