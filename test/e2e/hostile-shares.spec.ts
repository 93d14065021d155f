import { jest } from '@jest/globals';
import { startInside, type TestApp } from '../support/server/app.js';
import { PROXIED } from '../support/api/api-keys.js';
import type { Answer, Problem } from '../support/api/client.js';
import { from } from '../support/api/people.js';
import { member, newPerson } from '../support/api/strangers.js';
import { until, Workspace, type Page } from '../support/api/workspace.js';

let app: TestApp;
let place: Workspace;
/** Names of the executed statements. */
const queries: string[] = [];

beforeAll(async () => {
  app = await startInside({ env: { ...PROXIED, HTTP_KEPT_ANSWERS_BYTES_MAX: '1048576' } });
  const { Database } = await import('../../src/platform/postgres/database.js');
  const ask = Database.prototype.query;
  jest.spyOn(Database.prototype, 'query').mockImplementation(function (this: never, statement, values) {
    queries.push(statement.name);
    return ask.call(this, statement, values) as never;
  });
  place = await Workspace.create(app.client);
});
afterAll(() => app?.stop());

describe('refusals in the audit of a tenant', () => {
  interface Told {
    readonly action: string;
    readonly actor: string;
    readonly reason: string | null;
    readonly resource: string;
  }
  const audit = async (path: string, query: string): Promise<readonly Told[]> =>
    (await app.client.get<Page<Told>>(`${path}/audit?limit=1000&${query}`)).body.items;

  /** Records are written in order: once this one is stored, so are all earlier ones. */
  async function allWritten(): Promise<void> {
    const correlationId = crypto.randomUUID();
    const headers = { ...from('198.51.100.99'), 'x-correlation-id': correlationId };
    await app.client.with({ authorization: 'Bearer none' }).get('/auth/me', headers);
    await until(
      () => audit('', `correlationId=${correlationId}`),
      (items) => items.length === 1,
    );
  }

  it('of two thousand paths by a stranger leave nothing in it, and a few records in that of the system', async () => {
    const stranger = await newPerson(app);
    const tenant = `/tenants/${place.tenant}`;
    const before = (await audit(tenant, '')).length;
    const attack = async (worker: number): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        const path = `${tenant}/namespaces/n/topics/${worker}-${i}${'x'.repeat(3_900)}/events`;
        expect((await stranger.client.get(path)).status).toBe(404);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, worker) => attack(worker)));
    await allWritten();
    expect(await audit(tenant, '')).toHaveLength(before);
    const told = await audit('', `actor=${stranger.keyId}&action=access.denied`);
    expect(told).toHaveLength(10);
    for (const { resource } of told) expect(resource.length).toBeLessThanOrEqual(512);
  });

  it('by users who see something of the tenant are in it', async () => {
    const viewer = await member(app, place.tenant, 'viewer');
    expect((await viewer.client.delete(`/tenants/${place.tenant}`)).status).toBe(403);
    const written = await until(
      () => audit(`/tenants/${place.tenant}`, `actor=${viewer.keyId}`),
      (items) => items.length > 0,
    );
    expect(written).toMatchObject([
      { action: 'access.denied', reason: 'tenant:delete', resource: `tenants/${place.tenant}` },
    ]);
  });
});

describe('requests for tenants that do not exist', () => {
  const asked = (name: RegExp): number => queries.filter((query) => name.test(query)).length;

  it('cost one look-up of the tenant, the second time nothing, and evict no rules of real tenants', async () => {
    const [stranger, viewer] = [await newPerson(app), await member(app, place.tenant, 'viewer')];
    const read = async (): Promise<number> => (await viewer.client.get(`${place.base}/topics`)).status;
    const check = async (tenant: string): Promise<unknown> => {
      const question = { action: 'tenant:read', resource: `tenants/${tenant}` };
      return (await stranger.client.post('/authz/check', question)).body;
    };
    const loop = async (worker: number): Promise<void> => {
      for (let i = 0; i < 650; i++) await check(`invented-${worker}-${i}`);
    };
    await check('invented');
    expect(await read()).toBe(200);
    queries.length = 0;
    // One more than the cache of rules has room for.
    await Promise.all(Array.from({ length: 8 }, (_, worker) => loop(worker)));
    expect(asked(/^rules-of/)).toBe(0);
    expect(asked(/^tenant-find/)).toBe(8 * 650);
    expect(await check('invented-0-0')).toMatchObject({ allowed: false, reason: 'not-allowed', grants: [] });
    expect((await stranger.client.get('/tenants/invented-1-1')).status).toBe(404);
    expect(await read()).toBe(200);
    expect([asked(/^rules-of/), asked(/^tenant-find/)]).toEqual([0, 8 * 650]);
  }, 60_000);
});

describe('kept responses', () => {
  const EVENTS = Array.from({ length: 1_000 }, (_, i) => ({ id: `same-${i}`, type: 't', data: 1 }));
  const told = ({ status, body }: Answer<Problem>): string => `${status} ${body.code ?? ''}`;

  /** Sixty publishes of the same thousand events, each under its own key. */
  async function attack(shop: Workspace): Promise<string[]> {
    const answers: string[] = [];
    for (let i = 0; i < 60; i++)
      answers.push(told(await shop.tryPublish(EVENTS, { 'idempotency-key': `attack-${i}` })));
    return answers;
  }

  it('are bounded for a tenant: beyond the bound a new key is refused, and existing responses are kept', async () => {
    const [shop, other] = [await Workspace.create(app.client), await Workspace.create(app.client)];
    const answers = await attack(shop);
    const stored = answers.lastIndexOf('201 ') + 1;
    expect(stored).toBeLessThan(20);
    expect(new Set(answers.slice(stored))).toEqual(new Set(['429 idempotency-full']));
    const refused = await shop.tryPublish({ type: 't', data: 1 }, { 'idempotency-key': 'new' });
    expect(refused.headers.get('retry-after')).toBe('60');
    const again = await shop.tryPublish(EVENTS, { 'idempotency-key': 'attack-0' });
    expect([told(again), again.headers.get('idempotent-replayed')]).toEqual(['201 ', 'true']);
    expect(told(await shop.tryPublish([EVENTS[0]!], { 'idempotency-key': 'attack-0' }))).toBe(
      '409 idempotency-key-reused',
    );
    expect(told(await shop.tryPublish({ type: 't', data: 1 }))).toBe('201 ');
    expect(told(await other.tryPublish({ type: 't', data: 1 }, { 'idempotency-key': 'new' }))).toBe('201 ');
  });

  it('count as bytes that the tenant stores', async () => {
    const shop = await Workspace.create(app.client);
    await app.client.patch(`/tenants/${shop.tenant}`, { limits: { storageBytes: 100_000 } });
    const answers = await attack(shop);
    expect(answers.filter((answer) => answer === '201 ').length).toBeLessThan(3);
    expect(answers.at(-1)).toBe('429 tenant-storage-full');
  });

  it('of failed requests take no space', async () => {
    const shop = await Workspace.create(app.client);
    for (let i = 0; i < 2_200; i++) {
      const answer = await shop.tryPublish({ type: '' }, { 'idempotency-key': `failed-${i}` });
      if (answer.status !== 400) throw new Error(answer.text);
    }
    expect(told(await shop.tryPublish({ type: 't', data: 1 }, { 'idempotency-key': 'good' }))).toBe('201 ');
  });
});
