import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import type { LaneKeeper, SubscribedConsumer, Subscription } from '../../consumers/index.js';

/** A recreated lane starts with higher epochs than the old one can have had: the owner of the old one may not know yet. */
const EPOCHS_PER_VERSION = 2 ** 20;

const ADD = `
INSERT INTO lane (tenant_id, consumer_uid, topic_uid, position, epoch) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, consumer_uid, topic_uid) DO NOTHING`;
const REMOVE_OTHERS =
  'DELETE FROM lane WHERE tenant_id = $1 AND consumer_uid = $2 AND NOT topic_uid = ANY ($3::uuid[])';
const CONSUMERS_OF: Statement = {
  name: 'lane-consumers-of',
  text: 'SELECT consumer_uid AS "consumerUid" FROM lane WHERE tenant_id = $1 AND topic_uid = $2',
};

@Injectable()
export class PostgresLaneKeeper implements LaneKeeper {
  constructor(private readonly database: Database) {}

  async changed(
    sql: Sql,
    { tenantId, consumerUid, version }: SubscribedConsumer,
    topics: readonly Subscription[],
  ): Promise<void> {
    await sql.query(REMOVE_OTHERS, [tenantId, consumerUid, topics.map(({ topicUid }) => topicUid)]);
    for (const { topicUid, startPosition } of topics)
      await sql.query(ADD, [tenantId, consumerUid, topicUid, startPosition, version * EPOCHS_PER_VERSION]);
  }

  async consumersOf(tenantId: string, topicUid: string): Promise<string[]> {
    const rows = await this.database.query<{ consumerUid: string }>(CONSUMERS_OF, [tenantId, topicUid]);
    return rows.map(({ consumerUid }) => consumerUid);
  }
}
