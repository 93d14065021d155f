import { randomUUID } from 'node:crypto';
import { systemActor, type Changed, type DomainEvent } from '../../src/kernel/aggregate.js';
import { NO_LIMITS } from '../../src/contexts/tenancy/domain/tenant-limits.js';
import { createNamespace, deleteNamespace, type NamespaceRef } from '../../src/contexts/tenancy/domain/namespace.js';
import { createTenant, deleteTenant, NO_DEFAULTS } from '../../src/contexts/tenancy/domain/tenant.js';
import { createTopic, deleteTopic } from '../../src/contexts/topics/domain/topic.js';
import { Aggregates, LogSizes, LogTrimmer, type AggregateRepository } from '../../src/platform/event-log/index.js';
import type { Settings } from '../../src/platform/config/index.js';
import { auditTrail } from '../support/api/audit.js';
import { openInstance, SetClock, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

// After Nest, which they need loaded first.
const { NamespaceContents } = await import('../../src/contexts/tenancy/application/namespace-removal.js');
const { TenantLifecycle } = await import('../../src/contexts/tenancy/application/tenant-lifecycle.js');
const { PostgresNamespaces } = await import('../../src/contexts/tenancy/adapters/postgres-namespaces.js');
const { PostgresTenants } = await import('../../src/contexts/tenancy/adapters/postgres-tenants.js');
const { PostgresTopics } = await import('../../src/contexts/topics/adapters/postgres-topics.js');
const { JobStore } = await import('../../src/platform/jobs/index.js');
const { NamespaceTopics } = await import('../../src/contexts/topics/application/namespace-topics.js');

const TENANT = 'acme';
const TOPICS_MAX = 3;
const tenantRef = { tenantId: TENANT };
const shop: NamespaceRef = { tenantId: TENANT, namespaceId: 'shop' };
const yard: NamespaceRef = { tenantId: TENANT, namespaceId: 'yard' };
const by = systemActor('corr-1');

let store: TestDatabase;
let instance: Instance;
let aggregates: Aggregates;
let tenants: InstanceType<typeof PostgresTenants>;
let namespaces: InstanceType<typeof PostgresNamespaces>;
let topics: InstanceType<typeof PostgresTopics>;

beforeEach(async () => {
  store = await createTestDatabase();
  instance = await openInstance(store.connection);
  const { database, reader, tails } = instance;
  const clock = new SetClock(1_000);
  aggregates = new Aggregates(database, reader, clock, tails, auditTrail(clock));
  const [lives, contents] = [new TenantLifecycle(), new NamespaceContents()];
  tenants = new PostgresTenants(database, lives, new JobStore(database), {} as Settings['tenants']);
  namespaces = new PostgresNamespaces(database, contents, lives, tenants);
  const ends = { removeRightsOn: () => Promise.resolve() };
  const logs = [new LogSizes(database), new LogTrimmer(database)] as const;
  topics = new PostgresTopics(database, ...logs, tenants, namespaces, ends as never);
  contents.register(new NamespaceTopics(aggregates, topics));
  await makeTenant();
});
afterEach(async () => {
  await instance.close();
  await store.drop();
});

async function makeTenant(): Promise<void> {
  const founding = { name: 'Acme', tenantUid: randomUUID(), founder: null, owner: null, defaults: NO_DEFAULTS };
  const limits = { ...NO_LIMITS, topics: TOPICS_MAX };
  await aggregates.change(tenants, tenantRef, by, (state) => createTenant(state, tenantRef, founding, limits));
}
const makeNamespace = (ref: NamespaceRef) =>
  aggregates.change(namespaces, ref, by, (state) => createNamespace(state, ref, randomUUID(), 'Name'));
const removeNamespace = (ref: NamespaceRef, forced: boolean) =>
  aggregates.change(namespaces, ref, by, (state) => deleteNamespace(state, ref, forced));
const make = (namespace: NamespaceRef, topicId: string, repository = topics as AggregateOf<typeof topics>) => {
  const ref = { ...namespace, topicId };
  return aggregates.change(repository, ref, by, (state) => createTopic(state, ref, randomUUID(), null));
};
const remove = (namespace: NamespaceRef, topicId: string, repository = topics as AggregateOf<typeof topics>) => {
  const ref = { ...namespace, topicId };
  return aggregates.change(repository, ref, by, (state) => deleteTopic(state, ref));
};

type AggregateOf<T> =
  T extends AggregateRepository<infer S, infer E, infer R, infer F> ? AggregateRepository<S, E, R, F> : never;

/** The same, but its transactions fail when everything is written. */
const failing = <S, E extends DomainEvent, R, F>(
  repository: AggregateRepository<S, E, R, F>,
): AggregateRepository<S, E, R, F> => ({
  aggregate: repository.aggregate,
  ask: (sql, ref, changed) => repository.ask(sql, ref, changed),
  project: async (sql, ref, changed: Changed<S, E>, facts) => {
    await repository.project(sql, ref, changed, facts);
    throw new Error('rolled back');
  },
});

const held = (): Promise<unknown[]> =>
  store.database.query(
    { name: 'test-held', text: 'SELECT kind, held FROM tenant_usage WHERE tenant_id = $1 ORDER BY kind' },
    [TENANT],
  );
async function counted(): Promise<unknown[]> {
  const rows = await store.database.query<{ kind: string; held: number }>({
    name: 'test-counted',
    text: `SELECT 'namespaces' AS kind, count(*) AS held FROM namespace WHERE tenant_id = '${TENANT}'
UNION ALL SELECT 'topics', count(*) FROM topic WHERE tenant_id = '${TENANT}'`,
  });
  return rows.filter((row) => row.held > 0);
}
const codes = (settled: readonly PromiseSettledResult<unknown>[]): (string | undefined)[] =>
  settled.map((result) =>
    result.status === 'fulfilled'
      ? undefined
      : ((result.reason as { code?: string }).code ?? (result.reason as Error).message),
  );

describe('the usage of a tenant', () => {
  it('is counted correctly while many concurrent changes create, delete, are refused, and fail', async () => {
    await Promise.all([shop, yard].map(makeNamespace));
    await expect(make(shop, 'planted', failing(topics))).rejects.toThrow('rolled back');
    const storm = Array.from({ length: 60 }, (_, i) => {
      const [namespace, topicId] = [i % 2 === 0 ? shop : yard, `t${i % 5}`];
      const repository = i % 7 === 0 ? failing(topics) : topics;
      return i % 3 === 2 ? remove(namespace, topicId, repository) : make(namespace, topicId, repository);
    });
    const outcomes = new Set(codes(await Promise.allSettled(storm)));
    expect([...outcomes]).toEqual(expect.arrayContaining([undefined, 'tenant-limit-reached']));
    expect(await held()).toEqual(await counted());
    expect(await held()).toEqual([{ kind: 'namespaces', held: 2 }, expect.objectContaining({ kind: 'topics' })]);
  });

  it('drops again by the number deleted', async () => {
    await makeNamespace(shop);
    for (const id of ['a', 'b', 'c']) await make(shop, id);
    await expect(make(shop, 'd')).rejects.toMatchObject({ code: 'tenant-limit-reached' });
    await remove(shop, 'b');
    const both = codes(await Promise.allSettled([make(shop, 'd'), make(shop, 'e')]));
    expect(both.toSorted()).toEqual(['tenant-limit-reached', undefined]);
    expect(await held()).toEqual(await counted());
  });

  it('is zero after the tenant is deleted, and a new tenant of that name begins with none', async () => {
    await makeNamespace(shop);
    await make(shop, 'a');
    await expect(removeNamespace(shop, false)).rejects.toMatchObject({ code: 'namespace-not-empty' });
    await remove(shop, 'a');
    await removeNamespace(shop, false);
    await aggregates.change(tenants, tenantRef, by, (state) => deleteTenant(state, tenantRef));
    expect(await held()).toEqual([]);
    await makeTenant();
    await makeNamespace(shop);
    expect(await held()).toEqual([{ kind: 'namespaces', held: 1 }]);
  });

  it('counts the remains of an earlier tenant of that name as long as they exist', async () => {
    await makeNamespace(shop);
    await make(shop, 'a');
    await removeNamespace(shop, true);
    await aggregates.change(tenants, tenantRef, by, (state) => deleteTenant(state, tenantRef));
    expect(await held()).toEqual([{ kind: 'topics', held: 1 }]);
    await makeTenant();
    await remove(shop, 'a');
    expect(await held()).toEqual([]);
  });
});
