import { startApp, type TestApp } from '../support/server/app.js';
import type { Database } from '../../src/platform/postgres/database.js';
import { JobStore } from '../../src/platform/jobs/job-store.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { openDatabase } from '../support/server/postgres.js';
import { member, newPerson } from '../support/api/strangers.js';
import { completed, deleteTenant, type Deletion } from '../support/api/tenant-deletions.js';
import { Workspace, type Page } from '../support/api/workspace.js';

let app: TestApp;
let database: Database;
let shop: Workspace;
let tenant: string;
let obstacle: Obstacle | undefined;

beforeAll(async () => {
  app = await startApp();
  database = openDatabase(app.connection);
});
afterAll(async () => {
  await database?.close();
  await app?.stop();
});
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
});
afterEach(() => obstacle?.remove().catch(() => undefined));

describe('the record of a deletion', () => {
  it('is shown to the user who started it, also afterwards, and to those who may delete the tenant', async () => {
    const [began, other] = [await member(app, shop.tenant, 'owner'), await member(app, shop.tenant, 'owner')];
    const [viewer, stranger] = [await member(app, shop.tenant, 'viewer'), await newPerson(app)];
    obstacle = await Obstacle.put(app.connection, 'SELECT 1 FROM namespace WHERE tenant_id = $1', [shop.tenant]);
    const { headers } = await began.client.delete(`${tenant}?force=true`);
    const location = headers.get('location')!;
    const seen = async (): Promise<number[]> =>
      Promise.all(
        [began.client, other.client, app.client, viewer.client, stranger.client].map(
          async (client) => (await client.get(location)).status,
        ),
      );
    expect(await seen()).toEqual([200, 200, 200, 404, 404]);
    await obstacle.remove();
    await completed(began.client, location);
    expect(await seen()).toEqual([200, 404, 200, 404, 404]);
    expect((await stranger.client.get(location)).body.code).toBe('tenant-deletion-not-found');
    expect((await app.client.with({}).get(location)).status).toBe(401);
  });

  it('is listed, in pages, only for those who may delete any tenant', async () => {
    const owner = await member(app, shop.tenant, 'owner');
    await deleteTenant(app.client, shop.tenant);
    const other = await Workspace.create(app.client);
    await deleteTenant(app.client, other.tenant);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await app.client.get<Page<Deletion>>(`/tenant-deletions?limit=1${cursor}`);
      seen.push(...body.items.map(({ tenantId }) => tenantId));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
    expect(seen).toEqual(expect.arrayContaining([shop.tenant, other.tenant]));
    expect(new Set(seen).size).toBe(seen.length);
    expect((await owner.client.get('/tenant-deletions')).body.code).toBe('permission-denied');
  });

  it('is removed after 30 days, and not before', async () => {
    await deleteTenant(app.client, shop.tenant);
    const other = await Workspace.create(app.client);
    await deleteTenant(app.client, other.tenant);
    const aged = { name: 'test-age', text: 'UPDATE job SET finished_at = 1 WHERE tenant_id = $1' };
    await database.query(aged, [shop.tenant]);
    await new JobStore(database).forget(2);
    const { body } = await app.client.get<Page<Deletion>>('/tenant-deletions?limit=1000');
    const kept = body.items.map(({ tenantId }) => tenantId);
    expect([kept.includes(shop.tenant), kept.includes(other.tenant)]).toEqual([false, true]);
  });
});
