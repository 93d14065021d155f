import type { Sql } from '../postgres/database.js';
import type { LogRef } from './event.js';

const BEGIN =
  'INSERT INTO topic_head (tenant_id, topic_uid) VALUES ($1, $2) ON CONFLICT (tenant_id, topic_uid) DO NOTHING';
const END = 'DELETE FROM topic_head WHERE tenant_id = $1 AND topic_uid = $2';
const HOLD = `
SELECT topic_uid FROM topic_head WHERE tenant_id = $1 AND topic_uid = ANY ($2::uuid[]) ORDER BY topic_uid FOR KEY SHARE`;

/** An empty log, to which events may be appended once the transaction is committed. */
export async function beginLog(sql: Sql, { tenantId, topicUid }: LogRef): Promise<void> {
  await sql.query(BEGIN, [tenantId, topicUid]);
}

/** Waits for appends in progress and for transactions that `hold` the log, and ends all later ones. The events stay: see LogTrimmer. */
export async function endLog(sql: Sql, { tenantId, topicUid }: LogRef): Promise<void> {
  await sql.query(END, [tenantId, topicUid]);
}

/** Returns which of the logs exist; none of these ends before the transaction does. Appends continue. */
export async function holdLogs(sql: Sql, tenantId: string, topicUids: readonly string[]): Promise<Set<string>> {
  if (topicUids.length === 0) return new Set();
  const { rows } = await sql.query<{ topic_uid: string }>(HOLD, [tenantId, topicUids]);
  return new Set(rows.map(({ topic_uid }) => topic_uid));
}
