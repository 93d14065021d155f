import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { isUnreachable } from './sql-state.js';

/**
 * Connections that stay out of their pool between two uses, so that a statement is on its way as soon as it is asked for. A pool hands
 * out by `nextTick`, after every promise that is ready: between two flushes of the log these are the answers to all publishers of
 * the first, and the store would wait for them with nothing to do.
 */
export class KeptConnections {
  private readonly idle: PoolClient[] = [];
  private readonly alive = new Set<PoolClient>();
  private closed = false;

  constructor(private readonly pool: Pool) {}

  /** Lends one; a call that failed for want of the server costs the connection, any other error does not. */
  async use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = this.idle.pop() ?? (await this.open());
    try {
      const result = await work(client);
      this.keep(client);
      return result;
    } catch (error) {
      if (isServersAnswer(error)) this.keep(client);
      else client.release(true);
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

  private async open(): Promise<PoolClient> {
    const client = await this.pool.connect();
    this.alive.add(client);
    client.once('end', () => {
      this.alive.delete(client);
      const at = this.idle.indexOf(client);
      if (at >= 0) this.idle.splice(at, 1)[0]!.release(true);
    });
    return client;
  }

  private keep(client: PoolClient): void {
    if (this.alive.has(client) && !this.closed) this.idle.push(client);
    else client.release(true);
  }
}

/** The server refused the statement and is ready for the next one. */
const isServersAnswer = (error: unknown): boolean =>
  typeof (error as { code?: unknown }).code === 'string' && !isUnreachable(error);
