import { randomUUID } from 'node:crypto';
import type { PinoLogger } from 'nestjs-pino';
import type { Aggregates, ManagementWatch } from '../../src/platform/event-log/index.js';
import type { ConsumerRights } from '../../src/contexts/consumers/application/consumer-rights.js';
import type { ConsumerCatalog, ConsumerView } from '../../src/contexts/consumers/application/ports.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

// After Nest, which they need loaded first.
const { PostgresRunningConsumers } =
  await import('../../src/contexts/consumers/adapters/postgres-running-consumers.js');
const { ConsumerFollowers } = await import('../../src/contexts/consumers/application/consumer-followers.js');
const { WithdrawRights } = await import('../../src/contexts/consumers/application/withdraw-rights.js');

const COUNT = 1_203;
const INSERT = `
INSERT INTO consumer (tenant_id, namespace_id, consumer_id, consumer_uid, namespace_uid, state, settings, version, created_at, updated_at, runs_on)
SELECT $1, 'shop', $4 || n, uid, $2, 'active', json_build_object('status', 'active', 'pauseReason', null, 'consumerUid', uid,
  'runsOn', $4::text, 'topics', json_build_array(json_build_object('topicId', 'orders')))::text, 1, 1, 1, $4
FROM unnest($3::uuid[]) WITH ORDINALITY AS c (uid, n)`;

let store: TestDatabase;

beforeAll(async () => {
  store = await createTestDatabase();
  for (const [tenant, user, count] of [
    ['acme', 'usr_many', COUNT],
    ['acme', 'usr_one', 1],
    ['other', 'usr_many', 2],
  ] as const) {
    const uids = Array.from({ length: count }, () => randomUUID());
    await store.database.query({ name: 'plant', text: INSERT }, [tenant, randomUUID(), uids, user]);
  }
});
afterAll(() => store?.drop());

async function all(pages: AsyncIterable<readonly ConsumerView[]>): Promise<string[]> {
  const found: string[] = [];
  for await (const page of pages) found.push(...page.map(({ tenantId, consumerUid }) => `${tenantId} ${consumerUid}`));
  expect(new Set(found).size).toBe(found.length);
  return found;
}

describe('consumers by the account they run as', () => {
  it('are found each once, page by page, in their tenant or everywhere', async () => {
    const running = new PostgresRunningConsumers(store.database);
    expect(await all(running.on(['usr_many'], 'acme'))).toHaveLength(COUNT);
    expect(await all(running.on(['usr_one', 'usr_many'], null))).toHaveLength(COUNT + 3);
    expect(await all(running.in('acme'))).toHaveLength(COUNT + 1);
    expect(await all(running.in(null))).toHaveLength(COUNT + 3);
    expect(await all(running.named('other', ['shop/usr_many1', 'shop/none', 'none/usr_many2']))).toHaveLength(1);
  });

  it('are checked once per user, however many consumers run as that user', async () => {
    const asked: string[] = [];
    const rights = {
      checkFor: async (tenantId: string, userId: string) => {
        asked.push(`${tenantId} ${userId}`);
        return () => true;
      },
    } as unknown as ConsumerRights;
    let queries = 0;
    const counting = {
      query: (...parts: Parameters<typeof store.database.query>) => {
        queries++;
        return store.database.query(...parts);
      },
    } as typeof store.database;
    const withdraw = new WithdrawRights(
      rights,
      {} as Aggregates,
      {} as ConsumerCatalog,
      new ConsumerFollowers(),
      { catchUp: () => Promise.resolve() } as ManagementWatch,
      {} as PinoLogger,
    );
    await withdraw.from(new PostgresRunningConsumers(counting).in('acme'), 'c');
    expect(asked.toSorted()).toEqual(['acme usr_many', 'acme usr_one']);
    expect(queries).toBe(Math.ceil((COUNT + 1) / 500));
  });
});
