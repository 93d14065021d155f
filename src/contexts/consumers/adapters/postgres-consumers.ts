import { Injectable } from '@nestjs/common';
import { KeyRing } from '../../../platform/crypto/keys.js';
import { AggregateRepository, type Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { ResourceEnds } from '../../authz/index.js';
import { namespaceNotFound, TenantCatalog, type EndingTenant, type NamespaceRef } from '../../tenancy/index.js';
import { ConsumerCatalog, type ConsumerSecrets, type ConsumerView } from '../application/ports.js';
import { consumerError } from '../domain/consumer-errors.js';
import {
  consumerAggregate,
  type ConsumerEvent,
  type ConsumerRef,
  type ConsumerState,
  type Registered,
  type Subscription,
} from '../domain/consumer.js';

export const CONSUMER_COLUMNS = `tenant_id, namespace_id, namespace_uid, consumer_id, settings, version, updated_at`;

/** With which of its topics are there: those that were deleted leave it by a saga, a moment later. */
const SHOWN = `${CONSUMER_COLUMNS}, ARRAY(
  SELECT t.topic_uid::text FROM lane l JOIN topic t ON t.tenant_id = l.tenant_id AND t.topic_uid = l.topic_uid
  WHERE l.tenant_id = consumer.tenant_id AND l.consumer_uid = consumer.consumer_uid) AS present`;

const FIND: Statement = {
  name: 'consumer-find',
  text: `SELECT ${SHOWN} FROM consumer WHERE tenant_id = $1 AND namespace_id = $2 AND consumer_id = $3`,
};
const FIND_BY_UID: Statement = {
  name: 'consumer-find-by-uid',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND consumer_uid = $2`,
};
const LIST: Statement = {
  name: 'consumer-list',
  text: `SELECT ${SHOWN} FROM consumer WHERE tenant_id = $1 AND namespace_id = $2 AND consumer_id > $3 ORDER BY consumer_id LIMIT $4`,
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
const SUBSCRIBED: Statement = {
  name: 'consumer-subscribed',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1
  AND consumer_uid IN (SELECT consumer_uid FROM lane WHERE tenant_id = $1 AND topic_uid = $2)`,
};
const SECRETS: Statement = {
  name: 'consumer-secrets',
  text: 'SELECT signing, headers FROM consumer_secret WHERE tenant_id = $1 AND consumer_uid = $2',
};

/** A lane that is made again begins with higher epochs than the old one can have had: its owner may not know yet. */
const EPOCHS_PER_VERSION = 2 ** 20;

const HOLD_NAMESPACE = 'SELECT namespace_uid FROM namespace WHERE tenant_id = $1 AND namespace_id = $2 FOR KEY SHARE';
const INSERT = `
INSERT INTO consumer (tenant_id, namespace_id, consumer_id, consumer_uid, namespace_uid, state, settings, version, created_at, updated_at, runs_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)`;
const UPDATE = `
UPDATE consumer SET state = $4, settings = $5, version = $6, updated_at = $7, runs_on = $8
WHERE tenant_id = $1 AND namespace_id = $2 AND consumer_id = $3`;
const ANY_IN = 'SELECT 1 FROM consumer WHERE tenant_id = $1 AND namespace_id = $2 LIMIT 1';
const ADD_LANE = `
INSERT INTO lane (tenant_id, consumer_uid, topic_uid, position, epoch)
SELECT $1, $2, $3, $4, $5 FROM topic_head WHERE tenant_id = $1 AND topic_uid = $3 FOR KEY SHARE
ON CONFLICT (tenant_id, consumer_uid, topic_uid) DO NOTHING`;
const ANY_LANE = 'SELECT 1 FROM lane WHERE tenant_id = $1 AND consumer_uid = $2 AND topic_uid = $3';
const REMOVE_OTHER_LANES =
  'DELETE FROM lane WHERE tenant_id = $1 AND consumer_uid = $2 AND NOT topic_uid = ANY ($3::uuid[])';
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

interface ShownRow extends ConsumerRow {
  readonly present: readonly string[];
}

@Injectable()
export class PostgresConsumers extends ConsumerCatalog {
  readonly aggregate = consumerAggregate;

  constructor(
    private readonly database: Database,
    private readonly keys: KeyRing,
    private readonly tenants: TenantCatalog,
    private readonly ends: ResourceEnds,
  ) {
    super();
  }

  async project(
    sql: Sql,
    ref: ConsumerRef,
    { state, version, recordedAt, events }: Changed<ConsumerState, ConsumerEvent>,
  ): Promise<void> {
    const { tenantId, namespaceId, consumerId } = ref;
    if (state.status === 'none') {
      await this.remove(sql, tenantId, state.consumerUid!);
      return this.ends.ended(sql, ref, 'consumers', consumerId);
    }
    const { consumerUid, topics, runsOn } = state;
    const document = JSON.stringify(state satisfies Registered);
    if (events.some(({ type }) => type === 'consumer.registered')) {
      const namespaceUid = await this.holdNamespace(sql, ref);
      const row = [consumerUid, namespaceUid, state.status, document, version, recordedAt, runsOn];
      await sql.query(INSERT, [tenantId, namespaceId, consumerId, ...row]);
      await this.tenants.requireRoom(sql, tenantId, 'consumers');
    } else {
      // Also where its namespace is gone, and it is about to go, too: whoever pauses many shall not come to a halt at that one.
      const row = [state.status, document, version, recordedAt, runsOn];
      await sql.query(UPDATE, [tenantId, namespaceId, consumerId, ...row]);
    }
    await sql.query(REMOVE_OTHER_LANES, [tenantId, consumerUid, topics.map(({ topicUid }) => topicUid)]);
    for (const topic of topics) await this.addLane(sql, tenantId, consumerUid, topic, version * EPOCHS_PER_VERSION);
  }

  private async holdNamespace(sql: Sql, ref: ConsumerRef): Promise<string> {
    const held = await sql.query<{ namespace_uid: string }>(HOLD_NAMESPACE, [ref.tenantId, ref.namespaceId]);
    const [namespace] = held.rows;
    if (!namespace) throw namespaceNotFound(ref);
    return namespace.namespace_uid;
  }

  /** The topic may have been deleted since it was looked up; then nothing would tell the consumer any more. */
  private async addLane(
    sql: Sql,
    tenantId: string,
    consumerUid: string,
    { topicId, topicUid, startPosition }: Subscription,
    epoch: number,
  ): Promise<void> {
    const added = await sql.query(ADD_LANE, [tenantId, consumerUid, topicUid, startPosition, epoch]);
    if (added.rowCount || (await sql.query(ANY_LANE, [tenantId, consumerUid, topicUid])).rowCount) return;
    throw consumerError('consumer-invalid', `There is no topic "${topicId}" in the namespace.`);
  }

  private async remove(sql: Sql, tenantId: string, consumerUid: string): Promise<void> {
    await sql.query(REMOVE_OTHER_LANES, [tenantId, consumerUid, []]);
    await sql.query(REMOVE_SECRETS, [tenantId, consumerUid]);
    await sql.query(REMOVE, [tenantId, consumerUid]);
  }

  storing(secrets: ConsumerSecrets): AggregateRepository<ConsumerState, ConsumerEvent, ConsumerRef> {
    return {
      aggregate: this.aggregate,
      ask: (sql, ref, changed) => this.ask(sql, ref, changed),
      project: async (sql, ref, changed) => {
        await this.project(sql, ref, changed);
        const { consumerUid } = changed.state as Registered;
        const signing = this.keys.encrypt(JSON.stringify(secrets.signing), contextOf(consumerUid, 'signing'));
        const headers = this.keys.encrypt(JSON.stringify(secrets.headers), contextOf(consumerUid, 'headers'));
        await sql.query(STORE_SECRETS, [ref.tenantId, consumerUid, signing, headers]);
      },
    };
  }

  async find({ tenantId, namespaceId, consumerId }: ConsumerRef): Promise<ConsumerView | undefined> {
    const [row] = await this.database.query<ShownRow>(FIND, [tenantId, namespaceId, consumerId]);
    return row && toShownView(row);
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
        'The secrets of the consumer were stored under another SECRET_KEY. Bring that back, as SECRET_KEY_PREVIOUS if need be, or delete the consumer and register it anew.';
      throw consumerError('consumer-secrets-unreadable', detail, {}, { cause });
    }
  }

  async list({ tenantId, namespaceId }: NamespaceRef, afterId: string, limit: number): Promise<ConsumerView[]> {
    return (await this.database.query<ShownRow>(LIST, [tenantId, namespaceId, afterId, limit])).map(toShownView);
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
    return (await this.database.query<ConsumerRow>(SUBSCRIBED, [tenantId, topicUid])).map(toConsumerView);
  }
}

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

function toShownView(row: ShownRow): ConsumerView {
  const view = toConsumerView(row);
  return { ...view, topics: view.topics.filter(({ topicUid }) => row.present.includes(topicUid)) };
}
