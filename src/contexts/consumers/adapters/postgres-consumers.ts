import { Injectable } from '@nestjs/common';
import type { Versioned } from '../../../kernel/aggregate.js';
import { KeyRing } from '../../../platform/crypto/keys.js';
import { holdLogs, type Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { ResourceRightsRemoval } from '../../authz/index.js';
import { NamespaceCatalog, TenantCatalog, type EndingTenant, type NamespaceRef } from '../../tenancy/index.js';
import { TopicCatalog } from '../../topics/index.js';
import { ConsumerLanes } from '../application/consumer-lanes.js';
import { checkConsumer, type ConsumerFacts } from '../application/consumer-rules.js';
import {
  ConsumerCatalog,
  type ConsumerRepository,
  type ConsumerSecrets,
  type ConsumerView,
  type ShownConsumer,
} from '../application/ports.js';
import { consumerError } from '../domain/consumer-errors.js';
import {
  consumerAggregate,
  consumerNotFound,
  type ConsumerEvent,
  type ConsumerRef,
  type ConsumerState,
  type Registered,
  type Subscription,
} from '../domain/consumer.js';

export const CONSUMER_COLUMNS = `tenant_id, namespace_id, namespace_uid, consumer_id, settings, version, updated_at`;

const FIND: Statement = {
  name: 'consumer-find',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND namespace_id = $2 AND consumer_id = $3`,
};
const FIND_BY_UID: Statement = {
  name: 'consumer-find-by-uid',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND consumer_uid = $2`,
};
const LIST: Statement = {
  name: 'consumer-list',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND namespace_id = $2 AND consumer_id > $3 ORDER BY consumer_id LIMIT $4`,
};
const ENDING: Statement = {
  name: 'consumer-ending',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1
  AND EXISTS (SELECT 1 FROM tenant WHERE tenant_id = $1 AND deletion_id = $2) LIMIT $3`,
};
const COUNT_OF: Statement = {
  name: 'consumer-count-of',
  text: 'SELECT count(*) AS count FROM consumer WHERE tenant_id = $1',
};
const FIND_BY_UIDS: Statement = {
  name: 'consumer-find-by-uids',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND consumer_uid = ANY ($2::uuid[])`,
};
const SECRETS: Statement = {
  name: 'consumer-secrets',
  text: 'SELECT signing, headers FROM consumer_secret WHERE tenant_id = $1 AND consumer_uid = $2',
};

const INSERT = `
INSERT INTO consumer (tenant_id, namespace_id, consumer_id, consumer_uid, namespace_uid, state, settings, version, created_at, updated_at, runs_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)`;
const UPDATE = `
UPDATE consumer SET state = $4, settings = $5, version = $6, updated_at = $7, runs_on = $8
WHERE tenant_id = $1 AND namespace_id = $2 AND consumer_id = $3`;
const ANY_IN = 'SELECT 1 FROM consumer WHERE tenant_id = $1 AND namespace_id = $2 LIMIT 1';
const REMOVE_SECRETS = 'DELETE FROM consumer_secret WHERE tenant_id = $1 AND consumer_uid = $2';
const REMOVE = 'DELETE FROM consumer WHERE tenant_id = $1 AND consumer_uid = $2';
const STORE_SECRETS = `
INSERT INTO consumer_secret (tenant_id, consumer_uid, signing, headers) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, consumer_uid) DO UPDATE SET signing = $3, headers = $4`;

export interface ConsumerRow {
  readonly tenant_id: string;
  readonly namespace_id: string;
  readonly namespace_uid: string;
  readonly consumer_id: string;
  readonly settings: string;
  readonly version: number;
  readonly updated_at: number;
}

@Injectable()
export class PostgresConsumers extends ConsumerCatalog {
  readonly aggregate = { ...consumerAggregate, check: checkConsumer };

  constructor(
    private readonly database: Database,
    private readonly keys: KeyRing,
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
    private readonly topics: TopicCatalog,
    private readonly lanes: ConsumerLanes,
    private readonly rights: ResourceRightsRemoval,
  ) {
    super();
  }

  override async ask(sql: Sql, ref: ConsumerRef, { before, state }: Changed<ConsumerState>): Promise<ConsumerFacts> {
    const begins = before.status === 'none' && state.status !== 'none';
    const namespaceUid = begins ? await this.namespaces.hold(sql, ref) : undefined;
    const room = begins ? await this.tenants.room(sql, ref.tenantId, 'consumers') : undefined;
    const added = topicsOf(state).filter(({ topicUid }) => !topicsOf(before).some((had) => had.topicUid === topicUid));
    const there = await holdLogs(
      sql,
      ref.tenantId,
      added.map(({ topicUid }) => topicUid),
    );
    return { namespaceUid, room, missing: added.filter(({ topicUid }) => !there.has(topicUid)) };
  }

  async project(
    sql: Sql,
    ref: ConsumerRef,
    { before, state, version, recordedAt }: Changed<ConsumerState, ConsumerEvent>,
    { namespaceUid }: ConsumerFacts,
  ): Promise<void> {
    const { tenantId, namespaceId, consumerId } = ref;
    if (state.status === 'none') {
      const consumerUid = state.consumerUid!;
      await this.lanes.changed(sql, { tenantId, consumerUid, version }, []);
      for (const remove of [REMOVE_SECRETS, REMOVE]) await sql.query(remove, [tenantId, consumerUid]);
      await this.tenants.count(sql, tenantId, 'consumers', 'deleted');
      return this.rights.removeRightsOn(sql, ref, 'consumers', consumerId);
    }
    const { consumerUid, topics, runsOn } = state;
    const document = JSON.stringify(state satisfies Registered);
    if (before.status === 'none') {
      const row = [consumerUid, namespaceUid, state.status, document, version, recordedAt, runsOn];
      await sql.query(INSERT, [tenantId, namespaceId, consumerId, ...row]);
      await this.tenants.count(sql, tenantId, 'consumers', 'made');
    } else {
      const row = [state.status, document, version, recordedAt, runsOn];
      await sql.query(UPDATE, [tenantId, namespaceId, consumerId, ...row]);
    }
    if (topics !== topicsOf(before)) await this.lanes.changed(sql, { tenantId, consumerUid, version }, topics);
  }

  storing(secrets: ConsumerSecrets): ConsumerRepository {
    return {
      aggregate: this.aggregate,
      ask: (sql, ref, changed) => this.ask(sql, ref, changed),
      project: async (sql, ref, changed, facts) => {
        await this.project(sql, ref, changed, facts);
        const { consumerUid } = changed.state as Registered;
        const signing = this.keys.encrypt(JSON.stringify(secrets.signing), contextOf(consumerUid, 'signing'));
        const headers = this.keys.encrypt(JSON.stringify(secrets.headers), contextOf(consumerUid, 'headers'));
        await sql.query(STORE_SECRETS, [ref.tenantId, consumerUid, signing, headers]);
      },
    };
  }

  async shown(ref: ConsumerRef, { state, version, recordedAt }: Versioned<ConsumerState>): Promise<ShownConsumer> {
    if (state.status === 'none') throw consumerNotFound(ref);
    const [shown] = await this.withPresentTopics([{ ...ref, ...state, version, updatedAt: recordedAt }]);
    return shown!;
  }

  async find({ tenantId, namespaceId, consumerId }: ConsumerRef): Promise<ConsumerView | undefined> {
    const rows = await this.database.query<ConsumerRow>(FIND, [tenantId, namespaceId, consumerId]);
    return (await this.withPresentTopics(rows.map(toConsumerView)))[0];
  }

  async findByUid(tenantId: string, consumerUid: string): Promise<ConsumerView | undefined> {
    const [row] = await this.database.query<ConsumerRow>(FIND_BY_UID, [tenantId, consumerUid]);
    return row && toConsumerView(row);
  }

  async secretsOf({ tenantId, consumerUid }: Pick<ConsumerView, 'tenantId' | 'consumerUid'>): Promise<ConsumerSecrets> {
    const [row] = await this.database.query<{ signing: string; headers: string }>(SECRETS, [tenantId, consumerUid]);
    if (!row) return { signing: [], headers: {} };
    return {
      signing: this.decrypted<string[]>(row.signing, contextOf(consumerUid, 'signing')),
      headers: this.decrypted<Record<string, string>>(row.headers, contextOf(consumerUid, 'headers')),
    };
  }

  private decrypted<T>(sealed: string, context: string): T {
    try {
      return JSON.parse(this.keys.decrypt(sealed, context)) as T;
    } catch (cause) {
      const detail =
        'The secrets of the consumer were stored under another SECRET_KEY. Bring that back, as SECRET_KEY_PREVIOUS if need be, or delete the consumer and register it again.';
      throw consumerError('consumer-secrets-unreadable', detail, {}, { cause });
    }
  }

  async list({ tenantId, namespaceId }: NamespaceRef, afterId: string, limit: number): Promise<ConsumerView[]> {
    const rows = await this.database.query<ConsumerRow>(LIST, [tenantId, namespaceId, afterId, limit]);
    return this.withPresentTopics(rows.map(toConsumerView));
  }

  /** For consumers of one tenant. A saga removes deleted topics from their consumers a moment later. */
  private async withPresentTopics<C extends ShownConsumer>(consumers: readonly C[]): Promise<C[]> {
    const uids = [...new Set(consumers.flatMap(({ topics }) => topics.map(({ topicUid }) => topicUid)))];
    const found = uids.length === 0 ? [] : await this.topics.findByUids(consumers[0]!.tenantId, uids);
    const present = new Set(found.map(({ topicUid }) => topicUid));
    return consumers.map((consumer) => ({
      ...consumer,
      topics: consumer.topics.filter(({ topicUid }) => present.has(topicUid)),
    }));
  }

  async anyIn(sql: Sql, { tenantId, namespaceId }: NamespaceRef): Promise<boolean> {
    return Boolean((await sql.query(ANY_IN, [tenantId, namespaceId])).rowCount);
  }

  async ending({ tenantId, deletionId }: EndingTenant, limit: number): Promise<ConsumerView[]> {
    return (await this.database.query<ConsumerRow>(ENDING, [tenantId, deletionId, limit])).map(toConsumerView);
  }

  async countOf(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(COUNT_OF, [tenantId]);
    return row!.count;
  }

  async subscribedTo(tenantId: string, topicUid: string): Promise<ConsumerView[]> {
    const uids = await this.lanes.consumersOf(tenantId, topicUid);
    return (await this.database.query<ConsumerRow>(FIND_BY_UIDS, [tenantId, uids])).map(toConsumerView);
  }
}

const NO_TOPICS: readonly Subscription[] = [];
const topicsOf = (state: ConsumerState): readonly Subscription[] =>
  state.status === 'none' ? NO_TOPICS : state.topics;

const contextOf = (consumerUid: string, what: string): string => `consumer ${consumerUid} ${what}`;

export const toConsumerView = (row: ConsumerRow): ConsumerView => ({
  tenantId: row.tenant_id,
  namespaceId: row.namespace_id,
  namespaceUid: row.namespace_uid,
  consumerId: row.consumer_id,
  ...(JSON.parse(row.settings) as Registered),
  version: row.version,
  updatedAt: row.updated_at,
});
