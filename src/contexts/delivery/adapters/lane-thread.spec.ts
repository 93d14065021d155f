import { setImmediate as turn } from 'node:timers/promises';
import { generateSigningSecret, type SendOutcome, type SendRequest } from '../../../platform/egress/index.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';
import type { LaneTools } from '../application/lane.js';
import type { ClaimedLane, Recipient } from '../application/ports.js';
import { toPortableError, fromPortableError, sharedNow, type ThreadMessage } from './lane-messages.js';
import { LaneThread } from './lane-thread.js';

const TOPIC_UID = '0190b3a4-0000-7000-8000-000000000001';
const eventAt = (position: number): StoredEvent => ({
  id: `e${position}`,
  type: 'order.created',
  data: '{}',
  key: null,
  stream: null,
  streamVersion: null,
  occurredAt: null,
  schemaVersion: null,
  correlationId: null,
  causationId: null,
  traceparent: null,
  tracestate: null,
  metadata: null,
  position,
  recordedAt: 0,
  publishedBy: 'usr_1',
  logBytes: 0,
});
const retry: RetryPolicy = {
  strategy: 'fixed',
  initialDelayMs: 60_000,
  maxDelayMs: 60_000,
  multiplier: 1,
  jitter: 0,
  maxAttempts: 5,
  maxAgeSeconds: 3_600,
};
const claimed: ClaimedLane = {
  tenantId: 'acme',
  consumerUid: 'c1',
  topicUid: TOPIC_UID,
  epoch: 1,
  state: { position: 0, lastEventId: null, failure: null, gap: null },
};
const recipient = {
  consumer: {
    settings: { url: 'http://127.0.0.1:1/', timeoutMs: 1_000, correlationId: 'c-1', retry },
    topics: [],
    version: 1,
  },
  secrets: { signing: [generateSigningSecret()], headers: {} },
} as unknown as Recipient;
const DELIVERED: SendOutcome = { kind: 'response', status: 204, retryAfterMs: undefined, durationMs: 1 };
const GONE: SendOutcome = { kind: 'response', status: 410, retryAfterMs: undefined, durationMs: 1 };

let messages: ThreadMessage[];
let sent: PromiseWithResolvers<SendOutcome>[];
let unsendable: Error | undefined;
let thread: LaneThread;

beforeEach(() => {
  messages = [];
  sent = [];
  unsendable = undefined;
  // A topic with an event at every position.
  const tail = {
    head: 1_000,
    inMemory: eventAt,
  };
  const send = ({ signal }: SendRequest): Promise<SendOutcome> => {
    if (unsendable) throw unsendable;
    const answer = Promise.withResolvers<SendOutcome>();
    signal?.addEventListener('abort', () => answer.resolve({ kind: 'aborted' }));
    sent.push(answer);
    return answer.promise;
  };
  const tools = {
    tails: { follow: () => Promise.resolve(tail), unfollow: () => undefined, appended: () => undefined },
    sender: { send },
    clock: { now: () => 0 },
    wallClock: { now: () => 0 },
    random: () => 0,
  } as unknown as LaneTools;
  thread = new LaneThread({ postMessage: (message: ThreadMessage) => void messages.push(message) }, tools, () =>
    Promise.resolve(),
  );
});
/** A lane that ends late must not report in the next test. */
afterEach(async () => {
  for (const lane of [1, 2]) thread.handle({ kind: 'stop', lane, graceMs: 0 });
  while (lanesLeft() > 0) await turn();
  thread.handle({ kind: 'close' });
});

function lanesLeft(): number {
  thread.handle({ kind: 'figures' });
  const last = messages.at(-1);
  return last?.kind === 'figures' ? last.figures.size : 0;
}

const hold = (ms: number): void => thread.handle({ kind: 'held', untilMs: sharedNow() + ms });
const start = (lane = 1): void =>
  thread.handle({ kind: 'start', lane, order: { claimed, topicId: 'orders', recipient } });
const stop = (graceMs: number): void => thread.handle({ kind: 'stop', lane: 1, graceMs });
const kinds = (): string[] => messages.map(({ kind }) => kind).filter((kind) => kind !== 'here' && kind !== 'news');
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await turn();
};
const untilSent = async (kind: ThreadMessage['kind']): Promise<void> => {
  for (const end = sharedNow() + 4_000; !kinds().includes(kind); await turn())
    if (sharedNow() > end) throw new Error(`Was never sent: ${kind}`);
};

describe('a delivery thread', () => {
  it('sends one event after another while it is held', async () => {
    hold(60_000);
    start();
    await turns(5);
    expect(sent).toHaveLength(1);
    sent[0]!.resolve(DELIVERED);
    await turns(5);
    expect(sent).toHaveLength(2);
  });

  it('cuts off what is under way when the lease ends, reports it, and sends nothing for lanes that start later', async () => {
    hold(20);
    start();
    await untilSent('lapsed');
    await turns(5);
    start(2);
    await turns(20);
    expect(sent).toHaveLength(1);
    await expect(sent[0]!.promise).resolves.toEqual({ kind: 'aborted' });
    expect(kinds()).toEqual(['lapsed', 'lapsed']);
  });

  it('reads a renewal that came while it was blocked before it decides that the lease has ended', async () => {
    hold(20);
    start();
    await turns(5);
    for (const end = sharedNow() + 50; sharedNow() < end;);
    const renewed = turn().then(() => hold(60_000)); // behind the timer of the lease, as messages are
    await renewed;
    sent[0]!.resolve(DELIVERED);
    await turns(20);
    expect([kinds(), sent.length]).toEqual([[], 2]);
  });

  it('reports the end of a lane that is stopped twice once, with its last position', async () => {
    hold(60_000);
    start();
    await turns(5);
    sent[0]!.resolve(DELIVERED);
    await turns(5);
    stop(60_000);
    stop(0);
    await untilSent('stopped');
    await turns(20);
    expect(messages.filter(({ kind }) => kind === 'stopped')).toEqual([
      { kind: 'stopped', lane: 1, state: { ...claimed.state, position: 1, lastEventId: 'e1' } },
    ]);
  });

  it.each([
    ['is stopped before the endpoint responds with 410', true],
    ['waits for the pause after a 410', false],
  ])('ends a lane that %s', async (_, before) => {
    hold(60_000);
    start();
    await turns(5);
    if (before) stop(60_000);
    sent[0]!.resolve(GONE);
    await turns(5);
    if (!before) stop(60_000);
    await untilSent('stopped');
    const news = messages.flatMap((message) => (message.kind === 'news' ? message.news : []));
    expect(news.map(([, { kind }]) => kind)).toEqual(['attempted', 'gone']);
  });

  it('reports a request that could not be made as such, not as a failure of the store, and the attempt', async () => {
    hold(60_000);
    unsendable = new TypeError('no such header');
    start();
    await turns(5);
    stop(0);
    await untilSent('stopped');
    const news = messages.flatMap((message) => (message.kind === 'news' ? message.news : []));
    expect(news).toMatchObject([
      [1, { kind: 'request-failed', error: { name: 'TypeError', message: 'no such header' } }],
      [1, { kind: 'attempted', outcome: { phase: 'refused', error: 'the request could not be made' } }],
    ]);
  });

  it('reports how many of the bytes handed over it has received', async () => {
    const events = [eventAt(1)];
    thread.handle({ kind: 'appended', topicUid: TOPIC_UID, events, bytes: 300 });
    thread.handle({ kind: 'figures' });
    expect(messages).toMatchObject([{ kind: 'news', taken: 300 }, { kind: 'figures' }]);
    await turns(1);
  });
});

it('an error keeps its code and its cause across threads', () => {
  const error = Object.assign(
    new Error('no', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }),
    {
      name: 'DomainError',
      code: 'store-unavailable',
    },
  );
  const clone = fromPortableError(structuredClone(toPortableError(error)));
  expect(clone).toMatchObject({ name: 'DomainError', code: 'store-unavailable', message: 'no' });
  expect(clone.stack).toBe(error.stack);
  expect(clone.cause).toMatchObject({ message: 'refused', code: 'ECONNREFUSED' });
});
