import { jest } from '@jest/globals';
import { DomainError } from '../../../kernel/domain-error.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { ConsumerCatalog, ConsumerView } from '../../consumers/index.js';
import type { TopicCatalog } from '../../topics/index.js';
import { DeliveryEngine } from './delivery-engine.js';
import { Lane, type LaneTools } from './lane.js';
import { Membership } from './membership.js';
import { laneName, LaneStore, type ClaimedLane, type LaneKey, type LaneRunner, type WorkerBeat } from './ports.js';
import { WebhookTarget } from './webhook-request.js';

const KEY: LaneKey = { tenantId: 'acme', consumerUid: 'c1', topicUid: 't1' };
const NO_LIMITS = { namespaces: null, topics: null, consumers: null, eventsPerSecond: null, storageBytes: null };
const away = (): Error => new Error('the store is away');

const keyOf = (name: string): LaneKey => {
  const [consumerUid, topicUid] = name.split(' ') as [string, string];
  return { ...KEY, consumerUid, topicUid };
};

/** Lanes as the table holds them: claimed once, then owned. */
class Lanes extends LaneStore {
  readonly owners = new Map<string, string | null>([[laneName(KEY), null]]);
  readonly workers = new Set<string>();
  epoch = 0;
  answerLost = false;

  override claim(workerId: string, live: readonly string[]): Promise<ClaimedLane[]> {
    const free = [...this.owners].filter(([, owner]) => owner === null || !live.includes(owner));
    for (const [name] of free) this.owners.set(name, workerId);
    if (this.answerLost) {
      this.answerLost = false;
      return Promise.reject(away());
    }
    const state = { position: 0, lastEventId: null, failure: null, gap: null };
    return Promise.resolve(free.map(([name]) => ({ ...keyOf(name), epoch: ++this.epoch, state })));
  }
  override checkpoint = (): Promise<LaneKey[]> => Promise.resolve([]);
  override ofConsumer = (): Promise<never[]> => Promise.resolve([]);
  override beat(workerId: string): Promise<WorkerBeat[]> {
    this.workers.add(workerId);
    return Promise.resolve([...this.workers].map((id) => ({ workerId: id, beat: 1 })));
  }
  override leave(workerId: string): Promise<void> {
    for (const [name, owner] of this.owners) if (owner === workerId) this.owners.set(name, null);
    return this.forgetWorkers([workerId]);
  }
  override forgetWorkers(workerIds: readonly string[]): Promise<void> {
    for (const id of workerIds) this.workers.delete(id);
    return Promise.resolve();
  }
}

/** A topic where nothing happens. */
const quietTail = {
  head: 0,
  inMemory: () => undefined,
  read: () => Promise.resolve([]),
  waitBeyond: (_: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
};

const tools = {
  tails: { follow: () => Promise.resolve(quietTail), unfollow: () => undefined },
  clock: { now: () => 0 },
  wallClock: { now: () => 0 },
} as unknown as LaneTools;
const runner = {
  create: ({ claimed, topicId, recipient }, moved) =>
    new Lane(claimed, topicId, new WebhookTarget(recipient), tools, moved),
  renewLease: () => undefined,
} as Partial<LaneRunner> as LaneRunner;

const changed = { type: 'consumer.paused', stream: 'acme/shop/hook', data: '{}' } as StoredEvent;

let lanes: Lanes;
let consumer: ConsumerView | undefined;
let engine: DeliveryEngine;
let tenantState: 'active' | 'suspended';
const findByUid = jest.fn<() => Promise<ConsumerView | undefined>>();
const find = jest.fn<() => Promise<ConsumerView | undefined>>();
const secretsOf = jest.fn<() => Promise<object>>();
const onError = jest.fn();
const onUnreadable = jest.fn();

beforeEach(() => {
  jest.resetAllMocks();
  lanes = new Lanes();
  tenantState = 'active';
  consumer = {
    tenantId: 'acme',
    namespaceId: 'shop',
    consumerId: 'hook',
    consumerUid: 'c1',
    status: 'active',
    settings: {},
    topics: [{ topicUid: 't1' }],
  } as unknown as ConsumerView;
  for (const look of [findByUid, find]) look.mockImplementation(() => Promise.resolve(consumer));
  secretsOf.mockResolvedValue({ signing: [], headers: {} });
  engine = new DeliveryEngine(
    lanes,
    { find, findByUid, secretsOf } as unknown as ConsumerCatalog,
    { findByUids: () => Promise.resolve([{ topicUid: 't1', topicId: 'orders' }]) } as unknown as TopicCatalog,
    { of: () => ({ tenantUid: '', state: tenantState, limits: NO_LIMITS }) },
    new Membership(lanes, { ttlMs: 60_000, alone: false }),
    runner,
    { checkpointIntervalMs: 100, onError, onUnreadable },
  );
});
afterEach(() => engine.close());

const pauseIt = (): void => {
  consumer = { ...consumer!, status: 'paused' };
};

it('runs the lanes that it claims, and lets those of a paused consumer rest', async () => {
  await engine.start();
  expect(engine.runningCount).toBe(1);
  pauseIt();
  await engine.consumersChanged([changed]);
  expect(engine.runningCount).toBe(0);
  consumer = { ...consumer!, status: 'active' };
  await engine.consumersChanged([changed]);
  expect(engine.runningCount).toBe(1);
  expect(lanes.epoch).toBe(1);
});

it('sends nothing to a withheld consumer, even before its pause is stored, until a newer event of it arrives', async () => {
  const at = (version: number): ConsumerView => ({ ...consumer!, version });
  const changedTo = (streamVersion: number): Promise<void> => engine.consumersChanged([{ ...changed, streamVersion }]);
  consumer = at(3);
  await engine.start();
  engine.withhold([consumer]);
  await engine.tick();
  expect(engine.runningCount).toBe(0);
  await changedTo(2);
  expect(engine.runningCount).toBe(0);
  consumer = { ...at(4), status: 'paused' };
  await changedTo(4);
  expect(engine.runningCount).toBe(0);
  consumer = { ...at(5), status: 'active' };
  await changedTo(5);
  expect(engine.runningCount).toBe(1);
  expect(lanes.epoch).toBe(1);
});

it('does not start a consumer that is withheld while it starts, but one that has changed since', async () => {
  const version = 3;
  consumer = { ...consumer!, version };
  const before = consumer;
  secretsOf.mockImplementationOnce(async () => {
    engine.withhold([before]);
    return { signing: [], headers: {} };
  });
  await engine.start();
  await engine.tick();
  expect(engine.runningCount).toBe(0);
  consumer = { ...consumer, version: version + 1 };
  await engine.consumersChanged([{ ...changed, streamVersion: version + 1 }]);
  engine.withhold([before]);
  await engine.tick();
  expect(engine.runningCount).toBe(1);
});

it('rejects when a change of a consumer fails, so that it is passed again: a pause is never lost', async () => {
  await engine.start();
  pauseIt();
  find.mockRejectedValueOnce(away());
  await expect(engine.consumersChanged([changed])).rejects.toThrow('away');
  await engine.consumersChanged([changed]);
  expect(engine.runningCount).toBe(0);
});

it.each([
  ['its consumer', findByUid],
  ['its secrets', secretsOf],
])('starts a claimed lane with the next beat after a failed look-up of %s', async (_, look) => {
  look.mockRejectedValueOnce(away());
  await engine.start();
  expect([engine.runningCount, onError.mock.calls.length]).toEqual([0, 1]);
  await engine.tick();
  expect(engine.runningCount).toBe(1);
});

it('continues with a halted lane after the store failed in between', async () => {
  await engine.start();
  findByUid.mockRejectedValueOnce(away());
  await expect(engine.consumersChanged([changed])).rejects.toThrow('away');
  expect(engine.runningCount).toBe(0);
  await engine.tick();
  expect(engine.runningCount).toBe(1);
});

it('claims again the lanes of a claim whose reply was lost', async () => {
  lanes.answerLost = true;
  await engine.start();
  expect(engine.runningCount).toBe(0);
  await engine.tick();
  expect(engine.runningCount).toBe(1);
});

it('lets the lanes of a suspended tenant rest until it is activated', async () => {
  await engine.start();
  for (const [state, running] of [
    ['suspended', 0],
    ['active', 1],
  ] as const) {
    tenantState = state;
    engine.tenantChanged('acme');
    await engine.tick();
    expect(engine.runningCount).toBe(running);
  }
  expect(lanes.epoch).toBe(1);
});

it('drops the lanes of a consumer that is gone, or that left the topic', async () => {
  await engine.start();
  consumer = { ...consumer!, topics: [] };
  await engine.consumersChanged([changed]);
  expect(engine.runningCount).toBe(0);
  consumer = undefined;
  await engine.consumersChanged([{ ...changed, type: 'consumer.deleted', data: '{"consumerUid":"c1"}' }]);
  await engine.tick();
  expect(engine.runningCount).toBe(0);
});

it('runs one lane of a topic that left its consumer and came back', async () => {
  await engine.start();
  lanes.owners.set(laneName(KEY), null);
  await engine.tick();
  expect([engine.runningCount, [...engine.running][0]!.snapshot.epoch]).toEqual([1, 2]);
});

describe('a consumer that cannot be started', () => {
  const uids = Array.from({ length: 70 }, (_, i) => `c${i + 1}`);
  const names = (): unknown[] => [...engine.running].map(({ key }) => key.consumerUid);

  beforeEach(() => {
    lanes.owners.clear();
    for (const consumerUid of uids) lanes.owners.set(laneName({ ...KEY, consumerUid }), null);
    findByUid.mockImplementation(((_: string, consumerUid: string) =>
      Promise.resolve({ ...consumer!, consumerUid })) as never);
  });

  it('keeps none of the others from starting, however many they are', async () => {
    secretsOf.mockRejectedValueOnce(new Error('no such cipher'));
    await engine.start();
    expect(names()).toEqual(uids.slice(1));
    await engine.tick();
    expect(engine.runningCount).toBe(70);
  });

  it('rests when its secrets cannot be read, is reported once, and starts after it has changed', async () => {
    const unreadable = new DomainError('consumer-secrets-unreadable', 'conflict', '', 'another SECRET_KEY');
    secretsOf.mockRejectedValueOnce(unreadable);
    await engine.start();
    await engine.tick();
    expect(names()).toEqual(uids.slice(1));
    expect([onUnreadable.mock.calls.length, onError.mock.calls.length]).toEqual([1, 0]);
    await engine.consumersChanged([changed]);
    expect(engine.runningCount).toBe(70);
  });

  it('does not make all others wait for a store that is away', async () => {
    findByUid.mockReset().mockRejectedValue(new DomainError('store-unavailable', 'unavailable', '', 'away'));
    await engine.start();
    expect(findByUid).toHaveBeenCalledTimes(32);
  });
});
