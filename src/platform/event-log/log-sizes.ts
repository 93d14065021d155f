import type { Database, Statement } from '../postgres/database.js';

const STORED_BYTES: Statement = {
  name: 'log-stored-bytes',
  text: `SELECT coalesce(sum(last.log_bytes), 0)::bigint AS bytes FROM topic_head h
JOIN LATERAL (SELECT log_bytes FROM event WHERE tenant_id = $1 AND topic_uid = h.topic_uid ORDER BY position DESC LIMIT 1) last ON true
WHERE h.tenant_id = $1`,
};
const EVENTS: Statement = {
  name: 'log-events',
  text: `SELECT coalesce(sum(last.position - first.position + 1), 0)::bigint AS events FROM unnest($2::uuid[]) AS log (topic_uid)
JOIN LATERAL (SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = log.topic_uid ORDER BY position LIMIT 1) first ON true
JOIN LATERAL (SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = log.topic_uid ORDER BY position DESC LIMIT 1) last ON true`,
};

/** The sizes of logs, by look-ups of their ends. */
export class LogSizes {
  constructor(private readonly database: Database) {}

  /** Data and metadata of all logs of a tenant that have not ended. */
  async storedBytes(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ bytes: number }>(STORED_BYTES, [tenantId]);
    return row!.bytes;
  }

  /** Events of these logs, also of those that have ended. Positions are dense, so two look-ups per log count them. */
  async events(tenantId: string, topicUids: readonly string[]): Promise<number> {
    const [row] = await this.database.query<{ events: number }>(EVENTS, [tenantId, topicUids]);
    return row!.events;
  }
}
