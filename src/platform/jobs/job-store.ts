import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Statement } from '../postgres/database.js';
import type { Job, NewJob, Progress } from './job.js';

const COLUMNS = `tenant_id AS "tenantId", job_id AS "jobId", kind, payload, state, total, done, resume_at AS "resumeAt", beat,
  cancel_requested AS "cancelRequested", error, created_at AS "createdAt", finished_at AS "finishedAt"`;

const ADD = `
INSERT INTO job (tenant_id, job_id, kind, payload, state, created_at) VALUES ($1, $2, $3, $4, 'queued', $5)
ON CONFLICT (tenant_id, job_id) DO NOTHING`;
const COMPLETE_ALL = `
UPDATE job SET state = 'completed', done = total, error = NULL, finished_at = $3
WHERE tenant_id = $1 AND kind = $2 AND finished_at IS NULL`;
const FIND: Statement = { name: 'job-find', text: `SELECT ${COLUMNS} FROM job WHERE kind = $1 AND job_id = $2` };
const LIST: Statement = {
  name: 'job-list',
  text: `SELECT ${COLUMNS} FROM job WHERE kind = $1 AND job_id > $2 ORDER BY job_id LIMIT $3`,
};
const OPEN: Statement = {
  name: 'job-open',
  text: `SELECT ${COLUMNS} FROM job WHERE finished_at IS NULL AND kind = ANY ($1) ORDER BY job_id LIMIT $2`,
};
/** Of two instances that saw the same beat, one gets the job. */
const CLAIM: Statement = {
  name: 'job-claim',
  text: `
UPDATE job SET state = 'running', owner = $3, beat = beat + 1 WHERE tenant_id = $1 AND job_id = $2 AND beat = $4 AND finished_at IS NULL
RETURNING ${COLUMNS}`,
};
const OWN = 'WHERE tenant_id = $1 AND job_id = $2 AND owner = $3 AND finished_at IS NULL';
const BEAT: Statement = {
  name: 'job-beat',
  text: `UPDATE job SET beat = beat + 1 ${OWN} RETURNING cancel_requested AS "cancelRequested"`,
};
const PROGRESS: Statement = {
  name: 'job-progress',
  text: `UPDATE job SET total = $4, done = $5, resume_at = coalesce($6, resume_at), beat = beat + 1 ${OWN} RETURNING 1`,
};
const COMPLETE: Statement = {
  name: 'job-complete',
  text: `UPDATE job SET state = 'completed', done = total, error = NULL, finished_at = $4 ${OWN}`,
};
const CANCEL: Statement = { name: 'job-cancel', text: `UPDATE job SET state = 'cancelled', finished_at = $4 ${OWN}` };
const FAIL: Statement = { name: 'job-fail', text: `UPDATE job SET state = 'failed', error = $4 ${OWN}` };
const REQUEST_CANCEL: Statement = {
  name: 'job-request-cancel',
  text: 'UPDATE job SET cancel_requested = true WHERE tenant_id = $1 AND job_id = $2 AND finished_at IS NULL',
};
const FORGET: Statement = { name: 'job-forget', text: 'DELETE FROM job WHERE finished_at < $1' };

type Row = Omit<Job, 'payload'> & { readonly payload: string };
type JobRef = Pick<Job, 'tenantId' | 'jobId'>;

/** The table of jobs. An owner is a process that works on a job; once another process has the job, the owner's writes change nothing. */
@Injectable()
export class JobStore {
  constructor(private readonly database: Database) {}

  /** In the transaction of the event that starts it. Idempotent. */
  async add(sql: Sql, { tenantId, jobId, kind, payload, createdAt }: NewJob): Promise<void> {
    await sql.query(ADD, [tenantId, jobId, kind, JSON.stringify(payload), createdAt]);
  }

  /** All open jobs of a kind and tenant, in the transaction of the event that they were working towards. */
  async completeAll(sql: Sql, tenantId: string, kind: string, now: number): Promise<void> {
    await sql.query(COMPLETE_ALL, [tenantId, kind, now]);
  }

  async find<Payload>(kind: string, jobId: string): Promise<Job<Payload> | undefined> {
    return (await this.read<Payload>(FIND, [kind, jobId]))[0];
  }

  /** Of all tenants, ordered by id. */
  list<Payload>(kind: string, afterId: string, limit: number): Promise<Job<Payload>[]> {
    return this.read(LIST, [kind, afterId, limit]);
  }

  /** Unfinished jobs, the oldest first. */
  open(kinds: readonly string[], limit: number): Promise<Job[]> {
    return this.read(OPEN, [kinds, limit]);
  }

  /** Undefined: another process has worked on it since it was read, or it is finished. */
  async claim({ tenantId, jobId, beat }: Job, owner: number): Promise<Job | undefined> {
    return (await this.read(CLAIM, [tenantId, jobId, owner, beat]))[0];
  }

  /** Undefined: another owner has it, or it is finished. */
  async beat({ tenantId, jobId }: JobRef, owner: number): Promise<Pick<Job, 'cancelRequested'> | undefined> {
    return (await this.database.query<Pick<Job, 'cancelRequested'>>(BEAT, [tenantId, jobId, owner]))[0];
  }

  /** False: another owner has it, or it is finished. */
  async progress({ tenantId, jobId }: JobRef, owner: number, { total, done, resumeAt }: Progress): Promise<boolean> {
    const values = [tenantId, jobId, owner, total, done, resumeAt ?? null];
    return (await this.database.query(PROGRESS, values)).length > 0;
  }

  async complete({ tenantId, jobId }: JobRef, owner: number, now: number): Promise<void> {
    await this.database.query(COMPLETE, [tenantId, jobId, owner, now]);
  }

  async cancelled({ tenantId, jobId }: JobRef, owner: number, now: number): Promise<void> {
    await this.database.query(CANCEL, [tenantId, jobId, owner, now]);
  }

  async failed({ tenantId, jobId }: JobRef, owner: number, error: string): Promise<void> {
    await this.database.query(FAIL, [tenantId, jobId, owner, error]);
  }

  /** Its owner sees the request with its next beat; without an owner, the next instance that claims it does. */
  async requestCancel({ tenantId, jobId }: JobRef): Promise<void> {
    await this.database.query(REQUEST_CANCEL, [tenantId, jobId]);
  }

  async forget(finishedBefore: number): Promise<void> {
    await this.database.query(FORGET, [finishedBefore]);
  }

  private async read<Payload>(statement: Statement, values: unknown[]): Promise<Job<Payload>[]> {
    const rows = await this.database.query<Row>(statement, values);
    return rows.map((row) => ({ ...row, payload: JSON.parse(row.payload) as Payload }));
  }
}
