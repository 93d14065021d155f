import type { ResourceRightsRemoval } from '../../src/contexts/authz/index.js';
import type { NamespaceCatalog, TenantCatalog } from '../../src/contexts/tenancy/index.js';
import { LogSizes, LogTrimmer } from '../../src/platform/event-log/index.js';
import { createLog, dropLog, newEvent, openInstance, readAll, request, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

// After Nest, which it needs loaded first.
await import('@nestjs/common');
const { PostgresTopics } = await import('../../src/contexts/topics/adapters/postgres-topics.js');

const EVENTS = 200;
const SLICE = 7;

describe('the removal of the events of a deleted topic', () => {
  let store: TestDatabase;
  let instances: Instance[];
  beforeAll(async () => {
    store = await createTestDatabase();
    instances = await Promise.all([1, 2, 3].map(() => openInstance(store.connection)));
  });
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.close()));
    await store.drop();
  });

  it('leaves none behind when several instances do it at once, and then the topic is forgotten', async () => {
    const [one] = instances as [Instance];
    const log = await createLog(one.database);
    const neighbour = await createLog(one.database);
    const events = Array.from({ length: EVENTS }, () => newEvent());
    for (const own of [log, neighbour]) await one.appender.append(request(own, events));
    await dropLog(one.database, log);
    await one.database.query(
      {
        name: 'test-removal',
        text: 'INSERT INTO topic_removal (tenant_id, topic_uid, requested_at) VALUES ($1, $2, 1)',
      },
      [log.tenantId, log.topicUid],
    );
    const remove = async ({ database }: Instance): Promise<void> => {
      const topics = new PostgresTopics(
        database,
        {} as LogSizes,
        new LogTrimmer(database),
        {} as TenantCatalog,
        {} as NamespaceCatalog,
        {} as ResourceRightsRemoval,
      );
      for (let left = await topics.removals(10); left.length > 0; left = await topics.removals(10))
        for (const removal of left) await topics.removeEvents(removal, SLICE);
    };
    await Promise.all(instances.map(remove));
    expect(await readAll(one.reader, log)).toEqual([]);
    expect(await readAll(one.reader, neighbour)).toHaveLength(EVENTS);
  });
});
