import type { Client, ClientConfig } from 'pg';
import { connect } from '../server/postgres.js';

/** Rows of the store that a test locks, so that the product stops exactly there. */
export class Obstacle {
  private constructor(private readonly client: Client) {}

  /** `select` names the rows: `SELECT 1 FROM topic WHERE …`. */
  static async put(connection: ClientConfig, select: string, values: unknown[]): Promise<Obstacle> {
    const client = await connect(connection);
    await client.query('BEGIN');
    const { rowCount } = await client.query(`${select} FOR UPDATE`, values);
    if (!rowCount) throw new Error(`Nothing to hold: ${select}`);
    return new Obstacle(client);
  }

  /** Whether a session waits for the rows. */
  async isWaitedFor(): Promise<boolean> {
    // In the transaction that locks the rows it would keep showing the sessions of the first query.
    await this.client.query('SELECT pg_stat_clear_snapshot()');
    const { rows } = await this.client.query<{ waiting: number }>(
      'SELECT count(*)::int AS waiting FROM pg_stat_activity a WHERE pg_backend_pid() = ANY (pg_blocking_pids(a.pid))',
    );
    return rows[0]!.waiting > 0;
  }

  async remove(): Promise<void> {
    await this.client.end();
  }
}
