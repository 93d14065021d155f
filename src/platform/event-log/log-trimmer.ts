import type { Database, Statement } from '../postgres/database.js';
import type { LogRef } from './event.js';

const TRIM: Statement = {
  name: 'log-trim',
  text: `DELETE FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND position IN (
  SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = $2 ORDER BY position LIMIT $3)`,
};
const ANY_LEFT: Statement = {
  name: 'log-any-left',
  text: 'SELECT 1 FROM event WHERE tenant_id = $1 AND topic_uid = $2 LIMIT 1',
};

/**
 * Removes events from the beginning of a log, a slice at a time, each in a transaction of its own, so that no append or read waits for it.
 * So far only for logs that have ended: for others, `base_position` would have to follow, and their readers be notified.
 */
export class LogTrimmer {
  constructor(private readonly database: Database) {}

  /**
   * Removes at most `limit` of its events. False: none are left. Not decided by the number removed: another instance may have removed the
   * same ones.
   */
  async trim({ tenantId, topicUid }: LogRef, limit: number): Promise<boolean> {
    await this.database.query(TRIM, [tenantId, topicUid, limit]);
    return (await this.database.query(ANY_LEFT, [tenantId, topicUid])).length > 0;
  }
}
