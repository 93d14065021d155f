import { Injectable } from '@nestjs/common';
import { Database, type Statement } from '../../../platform/postgres/database.js';
import { DeletionJobs, type TenantDeletion } from '../application/ports.js';

const COLUMNS = `deletion_id AS "deletionId", tenant_id AS "tenantId", started_by AS "startedBy", state, total, done, beat, error,
  started_at AS "startedAt", finished_at AS "finishedAt"`;

const FIND: Statement = {
  name: 'tenant-deletion-find',
  text: `SELECT ${COLUMNS} FROM tenant_deletion WHERE deletion_id = $1`,
};
const LIST: Statement = {
  name: 'tenant-deletion-list',
  text: `SELECT ${COLUMNS} FROM tenant_deletion WHERE deletion_id > $1 ORDER BY deletion_id LIMIT $2`,
};
const OPEN: Statement = {
  name: 'tenant-deletion-open',
  text: `SELECT ${COLUMNS} FROM tenant_deletion WHERE finished_at IS NULL ORDER BY deletion_id LIMIT $1`,
};
/** What came in after the first count makes the total greater, so that what is done never grows less. */
const PROGRESS: Statement = {
  name: 'tenant-deletion-progress',
  text: `
UPDATE tenant_deletion SET state = 'running', total = greatest(total, done + $3), done = greatest(total, done + $3) - $3, beat = beat + 1
WHERE tenant_id = $1 AND deletion_id = $2 AND finished_at IS NULL`,
};
const FAILED: Statement = {
  name: 'tenant-deletion-failed',
  text: `
UPDATE tenant_deletion SET state = 'failed', error = $3 WHERE tenant_id = $1 AND deletion_id = $2 AND finished_at IS NULL`,
};
const FORGET: Statement = {
  name: 'tenant-deletion-forget',
  text: 'DELETE FROM tenant_deletion WHERE finished_at < $1',
};

@Injectable()
export class PostgresDeletionJobs extends DeletionJobs {
  constructor(private readonly database: Database) {
    super();
  }

  async find(deletionId: string): Promise<TenantDeletion | undefined> {
    return (await this.database.query<TenantDeletion>(FIND, [deletionId]))[0];
  }

  list(afterId: string, limit: number): Promise<TenantDeletion[]> {
    return this.database.query<TenantDeletion>(LIST, [afterId, limit]);
  }

  open(limit: number): Promise<TenantDeletion[]> {
    return this.database.query<TenantDeletion>(OPEN, [limit]);
  }

  async progress({ tenantId, deletionId }: TenantDeletion, left: number): Promise<void> {
    await this.database.query(PROGRESS, [tenantId, deletionId, left]);
  }

  async failed({ tenantId, deletionId }: TenantDeletion, error: string): Promise<void> {
    await this.database.query(FAILED, [tenantId, deletionId, error]);
  }

  async forget(finishedBefore: number): Promise<void> {
    await this.database.query(FORGET, [finishedBefore]);
  }
}
