import { DEFAULT_RETRY } from '../../../kernel/retry-policy.js';
import {
  consumerAggregate,
  deleteConsumer,
  dropTopic,
  pauseConsumer,
  reconfigureConsumer,
  registerConsumer,
  shownState,
  resumeConsumer,
  withdrawRight,
  type ConsumerEvent,
  type ConsumerState,
  type Reconfiguration,
  type Registered,
} from './consumer.js';

const REF = { tenantId: 'acme', namespaceId: 'shop', consumerId: 'warehouse' };
const topic = (name: string) => ({ topicId: name, topicUid: name, startPosition: 0 });
const after = (state: ConsumerState, events: readonly ConsumerEvent[]): Registered =>
  events.reduce((now, event) => consumerAggregate.evolve(now, event, { recordedAt: 1 }), state) as Registered;
const registered = (runsOn = 'usr_maker'): Registered =>
  after(
    consumerAggregate.initial,
    registerConsumer(consumerAggregate.initial, REF, {
      consumerUid: 'uid',
      runsOn,
      topics: [topic('orders')],
      name: null,
      url: 'https://a.example',
      correlationId: 'c',
      headerNames: [],
      retry: DEFAULT_RETRY,
      timeoutMs: 1_000,
    }),
  );
const withdrawn = after(registered(), withdrawRight(registered(), REF, registered()));

describe('a change of a consumer', () => {
  const runner = (change: Reconfiguration): string | null =>
    after(registered(), reconfigureConsumer(registered(), REF, change, 'usr_other')).runsOn;

  it.each<[string, Reconfiguration]>([
    ['where events go', { url: 'https://b.example' }],
    ['which events', { topics: [topic('orders'), topic('returns')] }],
    ['that it gets fewer', { topics: [] }],
    ['what is sent with them', { headersChanged: true }],
  ])('that says %s makes it run on the right of the caller', (_, change) => expect(runner(change)).toBe('usr_other'));

  it('of anything else, or of nothing, leaves it as it is', () => {
    expect(
      runner({ name: 'x', timeoutMs: 5, correlationId: 'd', url: 'https://a.example', topics: [topic('orders')] }),
    ).toBe('usr_maker');
  });

  it('that names a user makes it run on their right', () => {
    expect(runner({ url: 'https://b.example', runsOn: 'usr_third' })).toBe('usr_third');
  });
});

describe('a consumer', () => {
  const EMPTY = consumerAggregate.initial;
  const deleted = after(registered(), deleteConsumer(registered(), REF)) as ConsumerState;

  it('is registered once, with an id that can be chosen, and again when it is deleted', () => {
    const { settings, consumerUid, runsOn, topics } = registered();
    const registration = { ...settings, consumerUid, runsOn, topics };
    expect(() => registerConsumer(registered(), REF, registration)).toThrow('Consumer "warehouse" exists.');
    expect(() => registerConsumer(EMPTY, { ...REF, consumerId: 'a b' }, registration)).toThrow('is no valid id');
    expect(deleted).toEqual({ status: 'none', consumerUid: 'uid' });
    expect(after(deleted, registerConsumer(deleted, REF, registration))).toEqual(registered());
  });

  it('that is not there is not changed, paused, resumed or deleted, and loses no topic', () => {
    for (const state of [EMPTY, deleted]) {
      for (const decide of [
        () => reconfigureConsumer(state, REF, {}, 'usr_maker'),
        () => pauseConsumer(state, REF, 'requested'),
        () => resumeConsumer(state, REF, 'usr_maker'),
        () => deleteConsumer(state, REF),
      ])
        expect(decide).toThrow('There is no consumer "warehouse".');
      expect(dropTopic(state, REF, 'orders')).toEqual([]);
      expect(consumerAggregate.evolve(state, { type: 'consumer.resumed', data: REF }, { recordedAt: 2 })).toBe(state);
    }
  });

  it('says in its events what differs, and nothing where nothing does', () => {
    const change = { name: 'Warehouse', timeoutMs: 1_000, url: 'https://a.example', topics: [topic('orders')] };
    expect(reconfigureConsumer(registered(), REF, change, 'usr_maker')).toEqual([
      { type: 'consumer.configured', data: { ...REF, name: 'Warehouse' } },
    ]);
    expect(reconfigureConsumer(registered(), REF, {}, 'usr_other')).toEqual([]);
    expect(reconfigureConsumer(registered(), REF, { headersChanged: true }, 'usr_maker')).toEqual([
      { type: 'consumer.configured', data: REF },
    ]);
  });

  it('keeps its place in topics that stay, however they are named again', () => {
    const now = { ...registered(), topics: [{ ...topic('orders'), startPosition: 7 }, topic('old')] };
    const wanted = { topics: [topic('returns'), { ...topic('orders'), startPosition: 0 }] };
    const events = reconfigureConsumer(now, REF, wanted, 'usr_maker');
    expect(events.map(({ type }) => type)).toEqual(['consumer.topics-removed', 'consumer.topics-added']);
    expect(after(now, events).topics).toEqual([{ ...topic('orders'), startPosition: 7 }, topic('returns')]);
  });

  it('is paused once, and resumed also where it is not paused, since a lane may be blocked', () => {
    const paused = after(registered(), pauseConsumer(registered(), REF, 'gone'));
    expect(paused).toMatchObject({ status: 'paused', pauseReason: 'gone' });
    expect(pauseConsumer(paused, REF, 'requested')).toEqual([]);
    expect(resumeConsumer(registered(), REF, 'usr_maker')).toEqual([{ type: 'consumer.resumed', data: REF }]);
    expect(after(paused, resumeConsumer(paused, REF, 'usr_maker'))).toEqual(registered());
  });
});

describe('a right that is gone', () => {
  it('pauses a consumer, also one that is paused by request, once', () => {
    expect(withdrawn).toMatchObject({ status: 'paused', pauseReason: 'no-longer-permitted' });
    expect(withdrawRight(withdrawn, REF, withdrawn)).toEqual([]);
    const asked = after(registered(), pauseConsumer(registered(), REF, 'requested'));
    expect(after(asked, withdrawRight(asked, REF, asked)).pauseReason).toBe('no-longer-permitted');
    expect(pauseConsumer(withdrawn, REF, 'requested')).toEqual([]);
  });

  it('pauses nothing that has changed since it was checked', () => {
    const now = after(registered(), reconfigureConsumer(registered(), REF, { url: 'https://b.example' }, 'usr_other'));
    expect(withdrawRight(now, REF, registered())).toEqual([]);
    expect(withdrawRight({ ...registered(), topics: [topic('returns')] }, REF, registered())).toEqual([]);
    expect(withdrawRight(consumerAggregate.initial, REF, registered())).toEqual([]);
  });

  it('is replaced by that of the user who resumes it; after another pause it stays', () => {
    expect(after(withdrawn, resumeConsumer(withdrawn, REF, 'usr_other'))).toMatchObject({
      status: 'active',
      runsOn: 'usr_other',
    });
    const asked = after(registered(), pauseConsumer(registered(), REF, 'requested'));
    expect(after(asked, resumeConsumer(asked, REF, 'usr_other')).runsOn).toBe('usr_maker');
  });
});

describe('a consumer whose topics are deleted', () => {
  const bare = after(registered(), dropTopic(registered(), REF, 'orders'));

  it('is paused without its last one, and continues with the next', () => {
    expect(shownState(registered())).toEqual({ state: 'active', reason: null });
    expect(shownState(bare)).toEqual({ state: 'paused', reason: 'topics-deleted' });
    const again = after(bare, reconfigureConsumer(bare, REF, { topics: [topic('returns')] }, 'usr_maker'));
    expect(shownState(again)).toEqual({ state: 'active', reason: null });
  });

  it('shows what it was paused for as long as it is', () => {
    const paused = after(bare, pauseConsumer(bare, REF, 'gone'));
    expect(shownState(paused)).toEqual({ state: 'paused', reason: 'gone' });
    expect(shownState(after(paused, resumeConsumer(paused, REF, 'usr_maker'))).reason).toBe('topics-deleted');
  });

  it('keeps no subscription for a topic that is created again', () => {
    expect(bare.topics).toEqual([]);
    expect(dropTopic(bare, REF, 'orders')).toEqual([]);
  });
});
