import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { isUnprepared, isUnreachable } from './sql-state.js';

/**
 * Connections that stay out of their pool between two uses, so that a statement is sent as soon as it is requested. A pool hands out by
 * `nextTick`, after every promise that is ready: between two flushes of the log these are the responses to all publishers of the first, and
 * the store would sit idle meanwhile. At most `pool.options.max` are open. Callers that find none wait in line here, where connections are
 * returned, not at the pool, which does not see them.
 */
export class PersistentConnections {
  private readonly idle: PoolClient[] = [];
  private readonly alive = new Set<PoolClient>();
  private readonly waiting: PromiseWithResolvers<PoolClient>[] = [];
  private opening = 0;
  private closed = false;

  constructor(private readonly pool: Pool) {}

  /** Whether a caller waits in line. */
  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Lends one; a call that failed because the server was unreachable costs the connection, other errors do not. */
  async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = this.idle.pop() ?? (await this.obtain());
    try {
      const result = await work(client);
      this.giveBack(client);
      return result;
    } catch (error) {
      if (isServerError(error)) this.giveBack(client);
      else this.discard(client);
      throw error;
    }
  }

  /** One statement over one connection, like `pool.query`. */
  query<R extends QueryResultRow>(statement: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>> {
    return this.use((client) => client.query<R>(statement, values));
  }

  /** Resolves when those in use have been returned, and all are closed. */
  async close(): Promise<void> {
    this.closed = true;
    for (const client of this.idle.splice(0)) client.release(true);
    await this.pool.end();
  }

  private obtain(): Promise<PoolClient> {
    if (this.alive.size + this.opening < this.pool.options.max) return this.open();
    const turn = Promise.withResolvers<PoolClient>();
    this.waiting.push(turn);
    return turn.promise;
  }

  private async open(): Promise<PoolClient> {
    this.opening++;
    try {
      const client = await this.pool.connect();
      this.alive.add(client);
      client.once('end', () => this.ended(client));
      return client;
    } catch (error) {
      queueMicrotask(() => this.openForNext());
      throw error;
    } finally {
      this.opening--;
    }
  }

  /** The server closed it, or it was discarded. */
  private ended(client: PoolClient): void {
    this.alive.delete(client);
    const at = this.idle.indexOf(client);
    if (at >= 0) this.idle.splice(at, 1)[0]!.release(true);
    this.openForNext();
  }

  /** There is room for one more: the first caller in line gets it, or learns that the server is unreachable. */
  private openForNext(): void {
    if (this.alive.size + this.opening >= this.pool.options.max) return;
    const next = this.waiting.shift();
    if (next) this.open().then(next.resolve, next.reject);
  }

  private giveBack(client: PoolClient): void {
    if (!this.alive.has(client) || this.closed) return this.discard(client);
    const next = this.waiting.shift();
    if (next) next.resolve(client);
    else this.idle.push(client);
  }

  private discard(client: PoolClient): void {
    this.alive.delete(client);
    client.release(true);
    this.openForNext();
  }
}

/** The server refused the statement and is ready for the next one. A session that has lost its prepared statements is better replaced. */
export const isServerError = (error: unknown): boolean =>
  typeof (error as { code?: unknown }).code === 'string' && !isUnreachable(error) && !isUnprepared(error);
