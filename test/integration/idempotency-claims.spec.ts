import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../src/kernel/clock.js';
import { KeyRing } from '../../src/platform/crypto/keys.js';
import { Idempotency } from '../../src/platform/http/idempotency.js';
import { KeptResponseShares } from '../../src/platform/http/kept-response-shares.js';
import type { Reply, Request } from '../../src/platform/http/request.js';
import type { Database } from '../../src/platform/postgres/database.js';
import { Presence } from '../../src/platform/postgres/presence.js';
import { openInstance, type Instance } from '../support/server/log.js';
import { createTestDatabase, openDatabase, type TestDatabase } from '../support/server/postgres.js';

class SettableClock extends Clock {
  ms = 1_000_000;
  now(): number {
    return this.ms;
  }
}

/** A process with the claims of its requests. */
interface Process {
  readonly idempotency: Idempotency;
  /** Sends a response to a request of that kind, through the hook that keeps it. */
  answer(request: Request, statusCode: number): Promise<unknown>;
}

const keys = new KeyRing(randomBytes(32));
let store: TestDatabase;
let first: Instance;
let clock: SettableClock;

beforeEach(async () => {
  store = await createTestDatabase();
  first = await openInstance(store.connection);
  clock = new SettableClock();
});
afterEach(async () => {
  await first.close();
  await store.drop();
});

function process(presence: Presence, database: Database = store.database): Process {
  const shares = new KeptResponseShares(database, clock);
  const settings = { keptAnswersBytesMax: 1e9 } as never;
  const idempotency = new Idempotency(database, clock, keys, shares, presence, settings, {} as PinoLogger);
  let onSend!: (request: Request, reply: Reply, payload: unknown, done: (error?: Error) => void) => void;
  idempotency.install({ addHook: (_: string, hook: typeof onSend) => (onSend = hook) } as unknown as FastifyInstance);
  const answer = (request: Request, statusCode: number): Promise<unknown> =>
    new Promise((resolve) =>
      onSend(request, { statusCode, getHeader: () => undefined } as unknown as Reply, '{}', resolve),
    );
  return { idempotency, answer };
}

const request = (): Request =>
  ({
    method: 'POST',
    url: '/events',
    body: { n: 1 },
    params: {},
    principal: { id: 'key_1', userId: 'usr_1' },
  }) as never;
const claim = ({ idempotency }: Process, asked = request()): Promise<unknown> => idempotency.claim(asked, 'k');
const inProgress = { code: 'idempotency-in-progress' };

describe('a claim', () => {
  it('of a live process is its own; that of a dead one is taken over by the next request at once', async () => {
    const next = process(new Presence(false));
    expect(await claim(process(first.presence))).toBeUndefined();
    await expect(claim(next)).rejects.toMatchObject(inProgress);
    await first.hints.close();
    expect(await claim(next)).toBeUndefined();
  });

  it('is held again after its connection was lost', async () => {
    await claim(process(first.presence));
    const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'event-store hints'";
    const shownAgain = new Promise<void>((resolve) => first.hints.onGap(resolve));
    await store.database.query({ name: '', text: cut });
    await shownAgain;
    await expect(claim(process(new Presence(false)))).rejects.toMatchObject(inProgress);
  });

  it('of any other process has no owner if there can be no other one', async () => {
    expect(await claim(process(first.presence))).toBeUndefined();
    expect(await claim(process(new Presence(true)))).toBeUndefined();
  });

  it('of a lost machine, whose connection the server still holds, has no owner after a minute', async () => {
    await claim(process(first.presence));
    const next = process(new Presence(false));
    clock.ms += 60_000;
    await expect(claim(next)).rejects.toMatchObject(inProgress);
    clock.ms += 1;
    expect(await claim(next)).toBeUndefined();
  });

  it('is taken once, however many ask for it', async () => {
    await claim(process(new Presence(false)));
    const second = await openInstance(store.connection);
    const both = [process(first.presence), process(second.presence)];
    const outcomes = await Promise.allSettled(Array.from({ length: 16 }, (_, i) => claim(both[i % 2]!)));
    await second.close();
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is taken once in a process, also if the database gets the second request first', async () => {
    const slow = openDatabase(store.connection);
    const own = process(first.presence, slow);
    const query = slow.query.bind(slow);
    const heard = Promise.withResolvers<void>();
    slow.query = async (...asked: Parameters<typeof query>) => {
      if ((asked[0] as { name: string }).name !== 'idempotency-claim') return query(...asked);
      slow.query = query as never;
      await heard.promise;
      return query(...asked);
    };
    const both = [claim(own), claim(own)];
    await Promise.race(both.map((one) => one.catch(() => undefined)));
    heard.resolve();
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await slow.close();
  });

  it('of a request in progress in the same process is its own; of one whose response could not be kept, it has no owner', async () => {
    const lost = openDatabase(store.connection);
    const own = process(first.presence, lost);
    const asked = request();
    expect(await claim(own, asked)).toBeUndefined();
    await expect(claim(own)).rejects.toMatchObject(inProgress);
    const query = lost.query.bind(lost);
    lost.query = () => Promise.reject(new Error('away'));
    expect(await own.answer(asked, 500)).toEqual(new Error('away'));
    lost.query = query;
    expect(await claim(own)).toBeUndefined();
    await lost.close();
  });

  it.each([201, 500])(
    'that was taken over is left alone by the process that lost it, which responds %i',
    async (status) => {
      const [lost, next] = [process(new Presence(false)), process(first.presence)];
      const asked = [request(), request(), request()] as const;
      expect(await claim(lost, asked[0])).toBeUndefined();
      expect(await claim(next, asked[1])).toBeUndefined();
      clock.ms += 60_001;
      expect(await claim(next, asked[2])).toBeUndefined();
      await lost.answer(asked[0], status);
      await next.answer(asked[1], status);
      await expect(claim(lost)).rejects.toMatchObject(inProgress);
      await next.answer(asked[2], 202);
      expect(await claim(lost)).toMatchObject({ status: 202 });
    },
  );

  it('with another body stays refused: the first request may have taken effect', async () => {
    await claim(process(new Presence(false)));
    const other = { ...request(), body: { n: 2 } } as Request;
    await expect(claim(process(first.presence), other)).rejects.toMatchObject({ code: 'idempotency-key-reused' });
  });
});
