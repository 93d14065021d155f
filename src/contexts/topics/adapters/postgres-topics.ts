import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { ResourceEnds } from '../../authz/index.js';
import { namespaceNotFound, TenantCatalog, type EndingTenant, type NamespaceRef } from '../../tenancy/index.js';
import { TopicCatalog, type Removal, type TopicView } from '../application/ports.js';
import { topicAggregate, type TopicRef, type TopicState } from '../domain/topic.js';

const COLUMNS = `tenant_id AS "tenantId", namespace_id AS "namespaceId", topic_id AS "topicId", topic_uid AS "topicUid",
  namespace_uid AS "namespaceUid", description, version, created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = {
  name: 'topic-find',
  text: `SELECT ${COLUMNS} FROM topic WHERE tenant_id = $1 AND namespace_id = $2 AND topic_id = $3`,
};
const FIND_BY_UIDS: Statement = {
  name: 'topic-find-by-uids',
  text: `SELECT ${COLUMNS} FROM topic WHERE tenant_id = $1 AND topic_uid = ANY ($2::uuid[])`,
};
const LIST: Statement = {
  name: 'topic-list',
  text: `SELECT ${COLUMNS} FROM topic WHERE tenant_id = $1 AND namespace_id = $2 AND topic_id > $3 ORDER BY topic_id LIMIT $4`,
};
const HOLD_NAMESPACE = 'SELECT namespace_uid FROM namespace WHERE tenant_id = $1 AND namespace_id = $2 FOR KEY SHARE';
const UPSERT = `
INSERT INTO topic (tenant_id, namespace_id, topic_id, topic_uid, namespace_uid, description, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id, namespace_id, topic_id) DO UPDATE SET description = $6, version = $7, updated_at = $9`;
const ANY_IN = 'SELECT 1 FROM topic WHERE tenant_id = $1 AND namespace_id = $2 LIMIT 1';
const ADD_HEAD =
  'INSERT INTO topic_head (tenant_id, topic_uid) VALUES ($1, $2) ON CONFLICT (tenant_id, topic_uid) DO NOTHING';
const REMOVE = 'DELETE FROM topic WHERE tenant_id = $1 AND namespace_id = $2 AND topic_id = $3';
const REMOVE_HEAD = 'DELETE FROM topic_head WHERE tenant_id = $1 AND topic_uid = $2';
const REQUEST_REMOVAL = `
INSERT INTO topic_removal (tenant_id, topic_uid, requested_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, topic_uid) DO NOTHING`;

const STORED_BYTES: Statement = {
  name: 'topic-stored-bytes',
  text: `SELECT coalesce(sum(last.log_bytes), 0)::bigint AS bytes FROM topic_head h
JOIN LATERAL (SELECT log_bytes FROM event WHERE tenant_id = $1 AND topic_uid = h.topic_uid ORDER BY position DESC LIMIT 1) last ON true
WHERE h.tenant_id = $1`,
};
const ENDING: Statement = {
  name: 'topic-ending',
  text: `SELECT ${COLUMNS} FROM topic WHERE tenant_id = $1
  AND EXISTS (SELECT 1 FROM tenant WHERE tenant_id = $1 AND deletion_id = $2) LIMIT $3`,
};
/** Positions are dense, so that two look-ups a topic count its events. */
const COUNT_OF: Statement = {
  name: 'topic-count-of',
  text: `SELECT (SELECT count(*) FROM topic WHERE tenant_id = $1) + coalesce(sum(last.position - first.position + 1), 0)::bigint AS count
FROM (SELECT topic_uid FROM topic_head WHERE tenant_id = $1 UNION SELECT topic_uid FROM topic_removal WHERE tenant_id = $1) log
JOIN LATERAL (SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = log.topic_uid ORDER BY position LIMIT 1) first ON true
JOIN LATERAL (SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = log.topic_uid ORDER BY position DESC LIMIT 1) last ON true`,
};
const REMOVALS_OF: Statement = {
  name: 'topic-removals-of',
  text: 'SELECT tenant_id AS "tenantId", topic_uid AS "topicUid" FROM topic_removal WHERE tenant_id = $1 LIMIT $2',
};
const REMOVALS: Statement = {
  name: 'topic-removals',
  text: 'SELECT tenant_id AS "tenantId", topic_uid AS "topicUid" FROM topic_removal ORDER BY requested_at LIMIT $1',
};
const REMOVE_EVENTS: Statement = {
  name: 'topic-remove-events',
  text: `DELETE FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND position IN (
  SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = $2 ORDER BY position LIMIT $3)`,
};
/** Not by how many were removed: another instance may have removed the same ones. */
const FORGET_REMOVAL: Statement = {
  name: 'topic-forget-removal',
  text: `DELETE FROM topic_removal WHERE tenant_id = $1 AND topic_uid = $2
  AND NOT EXISTS (SELECT 1 FROM event WHERE tenant_id = $1 AND topic_uid = $2) RETURNING 1`,
};

@Injectable()
export class PostgresTopics extends TopicCatalog {
  readonly aggregate = topicAggregate;

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantCatalog,
    private readonly ends: ResourceEnds,
  ) {
    super();
  }

  /** Deleting the head row waits for appends under way and ends all later ones. */
  async project(sql: Sql, ref: TopicRef, { state, version, recordedAt }: Changed<TopicState>): Promise<void> {
    const { tenantId, namespaceId, topicId } = ref;
    if (state.status === 'none') {
      await sql.query(REMOVE, [tenantId, namespaceId, topicId]);
      await sql.query(REMOVE_HEAD, [tenantId, state.topicUid]);
      await sql.query(REQUEST_REMOVAL, [tenantId, state.topicUid, recordedAt]);
      await this.ends.ended(sql, ref, 'topics', topicId);
      return;
    }
    const [namespace] = (await sql.query<{ namespace_uid: string }>(HOLD_NAMESPACE, [tenantId, namespaceId])).rows;
    if (!namespace) throw namespaceNotFound(ref);
    const { topicUid, description, createdAt } = state;
    const name = [tenantId, namespaceId, topicId, topicUid, namespace.namespace_uid];
    await sql.query(UPSERT, [...name, description, version, createdAt, recordedAt]);
    await sql.query(ADD_HEAD, [tenantId, topicUid]);
    if (createdAt === recordedAt) await this.tenants.requireRoom(sql, tenantId, 'topics');
  }

  async find({ tenantId, namespaceId, topicId }: TopicRef): Promise<TopicView | undefined> {
    const [topic] = await this.database.query<TopicView>(FIND, [tenantId, namespaceId, topicId]);
    return topic;
  }

  findByUids(tenantId: string, topicUids: readonly string[]): Promise<TopicView[]> {
    return this.database.query<TopicView>(FIND_BY_UIDS, [tenantId, topicUids]);
  }

  list({ tenantId, namespaceId }: NamespaceRef, afterId: string, limit: number): Promise<TopicView[]> {
    return this.database.query<TopicView>(LIST, [tenantId, namespaceId, afterId, limit]);
  }

  async anyIn(sql: Sql, { tenantId, namespaceId }: NamespaceRef): Promise<boolean> {
    return Boolean((await sql.query(ANY_IN, [tenantId, namespaceId])).rowCount);
  }

  async storedBytes(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ bytes: number }>(STORED_BYTES, [tenantId]);
    return row!.bytes;
  }

  ending({ tenantId, deletionId }: EndingTenant, limit: number): Promise<TopicView[]> {
    return this.database.query<TopicView>(ENDING, [tenantId, deletionId, limit]);
  }

  async countOf(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(COUNT_OF, [tenantId]);
    return row!.count;
  }

  removalsOf(tenantId: string, limit: number): Promise<Removal[]> {
    return this.database.query<Removal>(REMOVALS_OF, [tenantId, limit]);
  }

  removals(limit: number): Promise<Removal[]> {
    return this.database.query<Removal>(REMOVALS, [limit]);
  }

  async removeEvents({ tenantId, topicUid }: Removal, limit: number): Promise<boolean> {
    await this.database.query(REMOVE_EVENTS, [tenantId, topicUid, limit]);
    return (await this.database.query(FORGET_REMOVAL, [tenantId, topicUid])).length === 0;
  }
}
