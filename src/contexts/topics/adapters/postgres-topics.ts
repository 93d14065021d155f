import { Injectable } from '@nestjs/common';
import { beginLog, endLog, LogSizes, LogTrimmer, type Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { ResourceRightsRemoval } from '../../authz/index.js';
import { NamespaceCatalog, TenantCatalog, type EndingTenant, type NamespaceRef } from '../../tenancy/index.js';
import { TopicCatalog, type Removal, type TopicView } from '../application/ports.js';
import { checkTopic, type TopicFacts } from '../application/topic-rules.js';
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
const UPSERT = `
INSERT INTO topic (tenant_id, namespace_id, topic_id, topic_uid, namespace_uid, description, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id, namespace_id, topic_id) DO UPDATE SET description = $6, version = $7, updated_at = $9`;
const ANY_IN = 'SELECT 1 FROM topic WHERE tenant_id = $1 AND namespace_id = $2 LIMIT 1';
const REMOVE = 'DELETE FROM topic WHERE tenant_id = $1 AND namespace_id = $2 AND topic_id = $3';
const REQUEST_REMOVAL = `
INSERT INTO topic_removal (tenant_id, topic_uid, requested_at) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, topic_uid) DO NOTHING`;

const ENDING: Statement = {
  name: 'topic-ending',
  text: `SELECT ${COLUMNS} FROM topic WHERE tenant_id = $1
  AND EXISTS (SELECT 1 FROM tenant WHERE tenant_id = $1 AND deletion_id = $2) LIMIT $3`,
};
/** In one statement, so that a topic that is deleted meanwhile is not missing. */
const LOGS_OF: Statement = {
  name: 'topic-logs-of',
  text: `SELECT (SELECT count(*) FROM topic WHERE tenant_id = $1) AS topics, ARRAY(SELECT topic_uid::text FROM topic WHERE tenant_id = $1
  UNION SELECT topic_uid::text FROM topic_removal WHERE tenant_id = $1) AS logs`,
};
const REMOVALS_OF: Statement = {
  name: 'topic-removals-of',
  text: 'SELECT tenant_id AS "tenantId", topic_uid AS "topicUid" FROM topic_removal WHERE tenant_id = $1 LIMIT $2',
};
const REMOVALS: Statement = {
  name: 'topic-removals',
  text: 'SELECT tenant_id AS "tenantId", topic_uid AS "topicUid" FROM topic_removal ORDER BY requested_at LIMIT $1',
};
const FORGET_REMOVAL: Statement = {
  name: 'topic-forget-removal',
  text: 'DELETE FROM topic_removal WHERE tenant_id = $1 AND topic_uid = $2',
};

@Injectable()
export class PostgresTopics extends TopicCatalog {
  readonly aggregate = { ...topicAggregate, check: checkTopic };

  constructor(
    private readonly database: Database,
    private readonly sizes: LogSizes,
    private readonly trimmer: LogTrimmer,
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
    private readonly rights: ResourceRightsRemoval,
  ) {
    super();
  }

  override async ask(sql: Sql, ref: TopicRef, { before, state }: Changed<TopicState>): Promise<TopicFacts> {
    if (state.status === 'none') return { namespaceUid: undefined, room: undefined };
    const namespaceUid = await this.namespaces.hold(sql, ref);
    const room = before.status === 'none' ? await this.tenants.room(sql, ref.tenantId, 'topics') : undefined;
    return { namespaceUid, room };
  }

  async project(
    sql: Sql,
    ref: TopicRef,
    { before, state, version, recordedAt }: Changed<TopicState>,
    { namespaceUid }: TopicFacts,
  ): Promise<void> {
    const { tenantId, namespaceId, topicId } = ref;
    if (state.status === 'none') {
      const log = { tenantId, topicUid: state.topicUid! };
      await sql.query(REMOVE, [tenantId, namespaceId, topicId]);
      await endLog(sql, log);
      await sql.query(REQUEST_REMOVAL, [tenantId, log.topicUid, recordedAt]);
      await this.tenants.count(sql, tenantId, 'topics', 'deleted');
      return this.rights.removeRightsOn(sql, ref, 'topics', topicId);
    }
    const { topicUid, description, createdAt } = state;
    const name = [tenantId, namespaceId, topicId, topicUid, namespaceUid];
    await sql.query(UPSERT, [...name, description, version, createdAt, recordedAt]);
    if (before.status !== 'none') return;
    await beginLog(sql, { tenantId, topicUid });
    await this.tenants.count(sql, tenantId, 'topics', 'made');
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

  storedBytes(tenantId: string): Promise<number> {
    return this.sizes.storedBytes(tenantId);
  }

  ending({ tenantId, deletionId }: EndingTenant, limit: number): Promise<TopicView[]> {
    return this.database.query<TopicView>(ENDING, [tenantId, deletionId, limit]);
  }

  async countOf(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ topics: number; logs: string[] }>(LOGS_OF, [tenantId]);
    const { topics, logs } = row!;
    return topics + (await this.sizes.events(tenantId, logs));
  }

  removalsOf(tenantId: string, limit: number): Promise<Removal[]> {
    return this.database.query<Removal>(REMOVALS_OF, [tenantId, limit]);
  }

  removals(limit: number): Promise<Removal[]> {
    return this.database.query<Removal>(REMOVALS, [limit]);
  }

  async removeEvents(removal: Removal, limit: number): Promise<boolean> {
    if (await this.trimmer.trim(removal, limit)) return true;
    await this.database.query(FORGET_REMOVAL, [removal.tenantId, removal.topicUid]);
    return false;
  }
}
