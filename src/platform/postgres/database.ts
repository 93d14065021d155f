import {
  Client,
  Pool,
  types,
  type ClientBase,
  type ClientConfig,
  type PoolConfig,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
} from 'pg';
import { defineErrors, type DomainError } from '../../kernel/domain-error.js';
import { PersistentConnections } from './persistent-connections.js';
import { isConflict, isTransient, isUnreachable } from './sql-state.js';

const fail = defineErrors({
  'store-unavailable': { kind: 'unavailable', title: 'The store is not available' },
  'store-full': { kind: 'unavailable', title: 'The store has no space left' },
});

const ATTEMPTS_MAX = 5;
const CONNECT_TIMEOUT_MS = 3_000;
const SILENCE_MS = 1_000;

/** The appender's statements have one good plan; planning each flush took 0.4 ms of its 1.6. */
const planOnce = (client: ClientBase): Promise<unknown> => client.query('SET plan_cache_mode = force_generic_plan');

/** Explicit, because the server's default may be stricter: a read under a lock must see what the last holder of the lock committed. */
export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';

// Positions, counts and milliseconds stay far below 2^53.
types.setTypeParser(types.builtins.INT8, Number);

export interface DatabaseOptions {
  readonly connection: ClientConfig;
  /** Connections for ordinary queries. */
  readonly poolSize: number;
  /** Connections that only append to the log, so that a slow query never delays a publish. */
  readonly appendConnections: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly onError: (error: Error) => void;
}

export type Row = unknown[];

/** Anything that runs a statement: a connection, or a pool that lends one for it. */
export interface Sql {
  query<R extends QueryResultRow>(
    statement: string | (QueryConfig & { rowMode?: 'array' }),
    values?: unknown[],
  ): Promise<QueryResult<R>>;
}

/** A statement with a name is prepared once per connection. Values follow the order of `$1, $2 …`. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * The pools. Every statement runs under a statement, lock and idle-in-transaction timeout, so no stuck session holds a lock for longer than
 * that. An unreachable server is a `store-unavailable`; the pool reconnects with the next call.
 */
export class Database {
  /** For appends to the log only. */
  readonly append: PersistentConnections;
  private readonly pool: Pool;

  constructor(readonly options: DatabaseOptions) {
    this.pool = this.openPool(options.poolSize, { application_name: 'event-store' });
    const append = {
      application_name: 'event-store append',
      pipeline: true,
      onConnect: planOnce,
      query_timeout: 2 * options.statementTimeoutMs + SILENCE_MS, // one may wait behind another
    };
    this.append = new PersistentConnections(this.openPool(options.appendConnections, append));
  }

  private openPool(max: number, own: PoolConfig): Pool {
    const { connection, statementTimeoutMs, lockTimeoutMs, onError } = this.options;
    const pool = new Pool({
      ...connection,
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      statement_timeout: statementTimeoutMs,
      // For a server that accepts connections but never responds: its own timeout does not fire either.
      query_timeout: statementTimeoutMs + SILENCE_MS,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      ...own,
    });
    pool.on('error', onError);
    // The pool has no error listener on a connection in use; an error there would end the process. The call that uses it fails anyway.
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  }

  /** Rows as objects. */
  async query<T>(statement: Statement, values: unknown[] = []): Promise<T[]> {
    try {
      const result = await this.pool.query({ name: statement.name, text: statement.text, values });
      return result.rows as T[];
    } catch (error) {
      throw asDomainError(error);
    }
  }

  /** Rows as arrays, which saves an object and its keys for each: for the hot reads. */
  async rows(statement: Statement, values: unknown[] = []): Promise<Row[]> {
    try {
      const result = await this.pool.query({ ...statement, values, rowMode: 'array' });
      return result.rows as Row[];
    } catch (error) {
      throw asDomainError(error);
    }
  }

  /**
   * Runs `work` in one READ COMMITTED transaction, and again after a conflict that a retry resolves, at most five times. A commit whose
   * reply was lost is not repeated: it may have taken effect.
   */
  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const progress = { committing: false };
      try {
        return await this.once(work, progress);
      } catch (error) {
        const again = progress.committing ? isConflict(error) : isTransient(error);
        if (attempt >= ATTEMPTS_MAX || !again) throw asDomainError(error);
      }
    }
  }

  private async once<T>(work: (sql: Sql) => Promise<T>, progress: { committing: boolean }): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(BEGIN);
      const result = await work(client);
      progress.committing = true;
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** A connection of its own, outside the pools, for LISTEN and for session locks; the caller ends it. */
  async dedicatedClient(name: string): Promise<Client> {
    const client = new Client({
      ...this.options.connection,
      application_name: name,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('error', this.options.onError);
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.end(), this.append.close()]);
  }
}

/** Connection errors and a full disk become errors that a client can act on; all others are returned unchanged. */
export function asDomainError(error: unknown): unknown {
  if ((error as { code?: string }).code === '53100') {
    return fail(
      'store-full',
      'The disk of the store is full; nothing was stored.',
      { retryAfterSeconds: 60 },
      { cause: error },
    );
  }
  if (isUnreachable(error) || isTransient(error)) return unavailable(error);
  return error;
}

export function unavailable(
  cause: unknown,
  detail = 'The store cannot be reached at the moment; try again.',
): DomainError {
  return fail('store-unavailable', detail, { retryAfterSeconds: 1 }, { cause });
}
