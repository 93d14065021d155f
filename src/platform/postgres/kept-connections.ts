import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { isUnprepared, isUnreachable } from './sql-state.js';

/**
 * Connections that stay out of their pool between two uses, so that a statement is on its way as soon as it is asked for. A pool hands
 * out by `nextTick`, after every promise that is ready: between two flushes of the log these are the answers to all publishers of
 * the first, and the store would wait for them with nothing to do. At most `pool.options.max` are open; whoever finds none waits in line here, where
 * they come back, not at the pool, which does not see that.
 */
export class KeptConnections {
  private readonly idle: PoolClient[] = [];
  private readonly alive = new Set<PoolClient>();
  private readonly waiting: PromiseWithResolvers<PoolClient>[] = [];
  private opening = 0;
  private closed = false;

  constructor(private readonly pool: Pool) {}

  /** Whether somebody waits in line. */
  get wanted(): boolean {
    return this.waiting.length > 0;
  }

  /** Lends one; a call that failed for want of the server costs the connection, any other error does not. */
  async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = this.idle.pop() ?? (await this.obtain());
    try {
      const result = await work(client);
      this.giveBack(client);
      return result;
    } catch (error) {
      if (isServersAnswer(error)) this.giveBack(client);
      else this.discard(client);
      throw error;
    }
  }

  /** One statement over one connection, like `pool.query`. */
  query<R extends QueryResultRow>(statement: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>> {
    return this.use((client) => client.query<R>(statement, values));
  }

  /** Resolves when those in use have come back, and all are closed. */
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

  /** The server has closed it, or it was discarded. */
  private ended(client: PoolClient): void {
    this.alive.delete(client);
    const at = this.idle.indexOf(client);
    if (at >= 0) this.idle.splice(at, 1)[0]!.release(true);
    this.openForNext();
  }

  /** There is room for one more: the first in line gets it, or learns that there is no server. */
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

/** The server refused the statement and is ready for the next one; for a session that has lost its statements, a new one is better. */
export const isServersAnswer = (error: unknown): boolean =>
  typeof (error as { code?: unknown }).code === 'string' && !isUnreachable(error) && !isUnprepared(error);
