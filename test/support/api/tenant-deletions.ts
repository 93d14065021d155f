import type { Database } from '../../../src/platform/postgres/database.js';
import type { Answer, Client } from './client.js';
import { until } from './workspace.js';

export interface Deletion {
  readonly id: string;
  readonly tenantId: string;
  readonly state: 'queued' | 'running' | 'completed' | 'failed';
  readonly total: number;
  readonly done: number;
  readonly percent: number;
  readonly error: string | null;
  readonly startedBy: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** A deletion may finish within the request or after it. */
export async function deleteTenant(client: Client, tenant: string): Promise<void> {
  const answer = await client.delete<Deletion>(`/tenants/${tenant}?force=true`);
  if (answer.status === 204) return;
  if (answer.status !== 202) throw new Error(`Deletion was answered with ${answer.status}: ${answer.text}`);
  await completed(client, answer.headers.get('location')!);
}

/** The deletion at that place, when it is done. */
export async function completed(client: Client, location: string): Promise<Deletion> {
  const answer = await until<Answer<Deletion>>(
    () => client.get<Deletion>(location),
    ({ status, body }) => status === 200 && body.state === 'completed',
    20_000,
  );
  return answer.body;
}

/** The number of rows of the tenant in every table with tenants, tables of later releases included. */
export async function rowsOf(database: Database, tenant: string): Promise<Record<string, number>> {
  const tables = await database.query<{ name: string }>({
    name: 'test-tenant-tables',
    text: `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY table_name`,
  });
  const found: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await database.query<{ count: number }>(
      { name: `test-rows-${name}`, text: `SELECT count(*) AS count FROM ${name} WHERE tenant_id = $1` },
      [tenant],
    );
    if (row!.count > 0) found[name] = row!.count;
  }
  return found;
}
