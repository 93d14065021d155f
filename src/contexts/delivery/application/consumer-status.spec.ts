import type { LogReader } from '../../../platform/event-log/index.js';
import type { ConsumerCatalog, ConsumerView } from '../../consumers/index.js';
import type { TenantGates } from '../../tenancy/index.js';
import type { LaneState } from '../domain/lane.js';
import { GetConsumerStatus, GetConsumerStatusHandler } from './consumer-status.js';
import type { LaneStore } from './ports.js';

const NOW = 1_000_000;
const ref = { tenantId: 'acme', namespaceId: 'shop', consumerId: 'hook' };
const consumer = {
  ...ref,
  consumerUid: 'c1',
  version: 1,
  status: 'active',
  settings: {},
  topics: [{ topicId: 'orders', topicUid: 't1' }],
} as unknown as ConsumerView;

const nextAttemptAt = async (failedAt: number): Promise<number | null> => {
  const error = { at: failedAt, phase: 'response', status: 500, message: 'the endpoint answered 500' };
  const failure = { attempt: 1, firstFailedAt: failedAt, nextAttemptAt: failedAt + 5_000, consumerVersion: 1, error };
  const state: LaneState = { position: 4, lastEventId: 'e4', failure: { ...failure, blocked: false }, gap: null };
  const handler = new GetConsumerStatusHandler(
    { find: () => Promise.resolve(consumer), secretsOf: () => Promise.resolve({}) } as unknown as ConsumerCatalog,
    { ofConsumer: () => Promise.resolve([{ topicUid: 't1', state }]) } as unknown as LaneStore,
    { heads: () => Promise.resolve(new Map()) } as unknown as LogReader,
    { now: () => NOW },
    { of: () => ({ state: 'active' }) } as unknown as TenantGates,
  );
  return (await handler.execute(new GetConsumerStatus(ref))).lanes[0]!.nextAttemptAt;
};

it('the status shows when the lane makes its next attempt, also after a failure under a clock that was an hour ahead', async () => {
  expect(await nextAttemptAt(NOW - 1_000)).toBe(NOW + 4_000);
  expect(await nextAttemptAt(NOW + 3_600_000)).toBe(NOW + 5_000);
});
