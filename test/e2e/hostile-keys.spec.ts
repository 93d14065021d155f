import { jest } from '@jest/globals';
import { startInside, type TestApp } from '../support/server/app.js';
import { Keys, PROXIED } from '../support/api/api-keys.js';
import type { Answer, Problem } from '../support/api/client.js';
import { until, type Page } from '../support/api/workspace.js';

const GUESSER = '203.0.113.66';
const ELSEWHERE = '203.0.113.67';
const LIMIT = 120;
const AT_ONCE = 50;
const INVENTED = 3_000;

interface RefusedKey {
  readonly action: string;
  readonly reason: string | null;
  readonly times: number;
}

let app: TestApp;
let keys: Keys;
/** Number of ids that the store was asked for, per query. */
const queries: number[] = [];
let newApiKey: typeof import('../../src/contexts/identity/domain/api-key-format.js').newApiKey;

beforeAll(async () => {
  app = await startInside({ env: PROXIED });
  keys = new Keys(app.client);
  ({ newApiKey } = await import('../../src/contexts/identity/domain/api-key-format.js'));
  const { PostgresApiKeys } = await import('../../src/contexts/identity/adapters/postgres-api-keys.js');
  const ask = PostgresApiKeys.prototype.forAuthentication;
  jest.spyOn(PostgresApiKeys.prototype, 'forAuthentication').mockImplementation(function (
    this: InstanceType<typeof PostgresApiKeys>,
    ids: readonly string[],
  ) {
    queries.push(ids.length);
    return ask.call(this, ids);
  });
});
afterAll(() => app?.stop());

const send = (key: string, from: string): Promise<Answer<Problem>> => keys.as(key, from).get('/auth/me');

/** Responses to that many invented keys from one address, some at once. */
async function invent(count: number, from: string): Promise<Answer<Problem>[]> {
  const answers: Answer<Problem>[] = [];
  const guess = async (): Promise<void> => {
    while (answers.length < count) answers.push(await send(newApiKey('live').key, from));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, guess));
  return answers;
}

it('thousands of invented keys from one address are refused, cost few queries, and do not lock out a known key there', async () => {
  const [known, unseen] = [await keys.create(), await keys.create()];
  expect((await send(known.key, GUESSER)).status).toBe(200);
  queries.length = 0;
  const answers = await invent(INVENTED, GUESSER);
  const looked = answers.filter(({ status }) => status === 401).length;
  const refused = answers.filter(({ status }) => status === 429);
  expect(looked).toBeGreaterThanOrEqual(LIMIT);
  expect(looked).toBeLessThanOrEqual(LIMIT + AT_ONCE);
  expect(looked + refused.length).toBe(answers.length);
  // A query for the keys that arrived meanwhile, and none for refused ones.
  expect(queries.reduce((sum, ids) => sum + ids, 0)).toBe(looked);
  for (const { body, headers } of refused) {
    expect(body.code).toBe('api-key-throttled');
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
  }
  expect((await send(known.key, GUESSER)).status).toBe(200);
  await keys.rotate(known, { gracePeriodSeconds: 600 });
  expect((await send(known.key, GUESSER)).status).toBe(200);
  expect([(await send(unseen.key, GUESSER)).status, (await send(unseen.key, ELSEWHERE)).status]).toEqual([429, 200]);
  expect((await send(unseen.key, GUESSER)).status).toBe(200);
}, 120_000);

it('refused keys are recorded, and counted together', async () => {
  const throttled = await until(
    async () => {
      const { body } = await app.client.get<Page<RefusedKey>>(
        `/audit?action=auth.refused&address=${GUESSER}&limit=1000`,
      );
      return body.items.filter(({ reason }) => reason === 'key-throttled');
    },
    (found) => found.length > 0,
  );
  expect(throttled.length).toBeLessThan(50);
});

it('invented keys from a thousand addresses cost less than a query each, none when repeated, and none for noise', async () => {
  const GUESSED = 1_000;
  const guesses = Array.from({ length: GUESSED }, (_, n) => [
    newApiKey('live').key,
    `198.51.${n % 250}.${1 + (n % 200)}`,
  ]);
  const sendAll = async (all: readonly string[][]): Promise<Set<number>> => {
    const statuses = new Set<number>();
    const rest = all.values();
    const guess = async (): Promise<void> => {
      for (const [key, from] of rest) statuses.add((await send(key!, from!)).status);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, guess));
    return statuses;
  };
  queries.length = 0;
  expect(await sendAll(guesses)).toEqual(new Set([401]));
  expect(queries.length).toBeLessThan(GUESSED / 2);
  queries.length = 0;
  expect(await sendAll(guesses.slice(-100))).toEqual(new Set([401]));
  const noise = guesses.map(([key, from]) => [`${key!.slice(0, -6)}000000`, from!]);
  expect(await sendAll(noise)).toEqual(new Set([401]));
  expect(queries).toEqual([]);
});
