import type { PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg';
import { isServerError, type PersistentConnections } from './persistent-connections.js';

/**
 * Statements of one sender that do not wait for the result of the one before (libpq's pipeline mode): the server has the next one ready
 * when it is done with one. They run in order, each in a transaction of its own, so each sees what those before it have committed. They
 * share a connection for as long as one of them is in flight.
 */
export class Pipeline {
  private shared: Shared | undefined;

  constructor(private readonly connections: PersistentConnections) {}

  /** Whether a statement would follow another now. If others wait in line for a connection, this one must be returned. */
  get mayFollow(): boolean {
    return this.shared !== undefined && this.shared.lost === undefined && !this.connections.hasWaiting;
  }

  query<R extends QueryResultRow>(statement: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>> {
    if (this.shared && this.shared.lost === undefined) return this.send(this.shared, statement, values);
    return new Promise((resolve, reject) => {
      const lead = (client: PoolClient): Promise<void> => {
        const { promise, ...drained } = Promise.withResolvers<void>();
        this.shared = { client, underWay: 0, lost: undefined, ...drained };
        this.send<R>(this.shared, statement, values).then(resolve, reject);
        return promise;
      };
      this.connections.use(lead).catch(reject);
    });
  }

  private async send<R extends QueryResultRow>(
    shared: Shared,
    statement: string | QueryConfig,
    values: unknown[] | undefined,
  ): Promise<QueryResult<R>> {
    shared.underWay++;
    try {
      return await shared.client.query<R>(statement, values);
    } catch (error) {
      if (!isServerError(error)) shared.lost = error;
      throw error;
    } finally {
      if (--shared.underWay === 0) this.end(shared);
    }
  }

  private end(shared: Shared): void {
    if (this.shared === shared) this.shared = undefined;
    if (shared.lost === undefined) shared.resolve();
    else shared.reject(shared.lost);
  }
}

interface Shared {
  readonly client: PoolClient;
  underWay: number;
  /** The error that showed that the connection is broken. */
  lost: unknown;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
