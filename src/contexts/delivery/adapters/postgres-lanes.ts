import { Injectable } from '@nestjs/common';
import { Database, type Row, type Statement } from '../../../platform/postgres/database.js';
import { LaneStore, type ClaimedLane, type LaneKey, type StoredLane, type WorkerBeat } from '../application/ports.js';
import type { DeliveryError, LaneGap, LaneState } from '../domain/lane.js';

const STATE_COLUMNS = `position, last_event_id, attempt, first_failed_at, next_attempt_at, blocked, failed_version, last_error, gap`;

const CLAIM: Statement = {
  name: 'lane-claim',
  text: `
UPDATE lane SET owner = $1, epoch = epoch + 1 WHERE owner IS NULL OR NOT owner = ANY ($2::uuid[])
RETURNING tenant_id, consumer_uid, topic_uid, epoch, ${STATE_COLUMNS}`,
};

/** One statement for the lanes of all consumers and tenants, about ten times a second: no write for each delivered event. */
const CHECKPOINT: Statement = {
  name: 'lane-checkpoint',
  text: `
UPDATE lane SET position = c.position, last_event_id = c.last_event_id, attempt = c.attempt, first_failed_at = c.first_failed_at,
  next_attempt_at = c.next_attempt_at, blocked = c.blocked, failed_version = c.failed_version, last_error = c.last_error, gap = c.gap
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::integer[], $8::bigint[], $9::bigint[],
  $10::boolean[], $11::bigint[], $12::text[], $13::text[])
  AS c (tenant_id, consumer_uid, topic_uid, epoch, position, last_event_id, attempt, first_failed_at, next_attempt_at,
  blocked, failed_version, last_error, gap)
WHERE lane.tenant_id = c.tenant_id AND lane.consumer_uid = c.consumer_uid AND lane.topic_uid = c.topic_uid AND lane.epoch = c.epoch
RETURNING lane.consumer_uid, lane.topic_uid`,
};

const OF_CONSUMER: Statement = {
  name: 'lane-of-consumer',
  text: `SELECT tenant_id, consumer_uid, topic_uid, ${STATE_COLUMNS} FROM lane WHERE tenant_id = $1 AND consumer_uid = $2`,
};
/** Stores our beat and reads those of the others, in one statement. */
const BEAT: Statement = {
  name: 'worker-beat',
  text: `
WITH own AS (
  INSERT INTO delivery_worker (worker_id, beat) VALUES ($1, 1)
  ON CONFLICT (worker_id) DO UPDATE SET beat = delivery_worker.beat + 1 RETURNING worker_id, beat
)
SELECT worker_id AS "workerId", beat FROM own
UNION ALL SELECT worker_id, beat FROM delivery_worker WHERE worker_id <> $1`,
};
const RELEASE: Statement = { name: 'lane-release', text: 'UPDATE lane SET owner = NULL WHERE owner = $1' };
const FORGET: Statement = {
  name: 'worker-forget',
  text: 'DELETE FROM delivery_worker WHERE worker_id = ANY ($1::uuid[])',
};

@Injectable()
export class PostgresLanes extends LaneStore {
  constructor(private readonly database: Database) {
    super();
  }

  async claim(workerId: string, live: readonly string[]): Promise<ClaimedLane[]> {
    const rows = await this.database.rows(CLAIM, [workerId, live]);
    return rows.map((row) => ({ ...keyOf(row), epoch: row[3] as number, state: stateOf(row, 4) }));
  }

  async checkpoint(lanes: readonly ClaimedLane[]): Promise<LaneKey[]> {
    const column = <T>(pick: (lane: ClaimedLane) => T): T[] => lanes.map(pick);
    const rows = await this.database.rows(CHECKPOINT, [
      column((lane) => lane.tenantId),
      column((lane) => lane.consumerUid),
      column((lane) => lane.topicUid),
      column((lane) => lane.epoch),
      column(({ state }) => state.position),
      column(({ state }) => state.lastEventId),
      column(({ state }) => state.failure?.attempt ?? 0),
      column(({ state }) => state.failure?.firstFailedAt ?? null),
      column(({ state }) => state.failure?.nextAttemptAt ?? null),
      column(({ state }) => state.failure?.blocked ?? false),
      column(({ state }) => state.failure?.consumerVersion ?? null),
      column(({ state }) => (state.failure ? JSON.stringify(state.failure.error) : null)),
      column(({ state }) => (state.gap ? JSON.stringify(state.gap) : null)),
    ]);
    if (rows.length === lanes.length) return [];
    const stored = new Set(rows.map(([consumerUid, topicUid]) => `${consumerUid} ${topicUid}`));
    return lanes.filter(({ consumerUid, topicUid }) => !stored.has(`${consumerUid} ${topicUid}`));
  }

  async ofConsumer(tenantId: string, consumerUid: string): Promise<StoredLane[]> {
    const rows = await this.database.rows(OF_CONSUMER, [tenantId, consumerUid]);
    return rows.map((row) => ({ ...keyOf(row), state: stateOf(row, 3) }));
  }

  beat(workerId: string): Promise<WorkerBeat[]> {
    return this.database.query<WorkerBeat>(BEAT, [workerId]);
  }

  async leave(workerId: string): Promise<void> {
    await this.database.query(RELEASE, [workerId]);
    await this.forgetWorkers([workerId]);
  }

  async forgetWorkers(workerIds: readonly string[]): Promise<void> {
    await this.database.query(FORGET, [workerIds]);
  }
}

const keyOf = (row: Row): LaneKey => ({
  tenantId: row[0] as string,
  consumerUid: row[1] as string,
  topicUid: row[2] as string,
});

function stateOf(row: Row, from: number): LaneState {
  const [position, lastEventId, attempt, firstFailedAt, nextAttemptAt, blocked, consumerVersion, error, gap] =
    row.slice(from);
  const failure =
    attempt === 0
      ? null
      : {
          attempt: attempt as number,
          firstFailedAt: firstFailedAt as number,
          nextAttemptAt: nextAttemptAt as number,
          blocked: blocked as boolean,
          consumerVersion: consumerVersion as number,
          error: JSON.parse(error as string) as DeliveryError,
        };
  return {
    position: position as number,
    lastEventId: lastEventId as string | null,
    failure,
    gap: gap === null ? null : (JSON.parse(gap as string) as LaneGap),
  };
}
