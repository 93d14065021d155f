import { startProcess, type TestProcess } from '../support/app.js';
import { newPerson, type Person } from '../support/strangers.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { Workspace } from '../support/workspace.js';

/** What is promised: everywhere within a second. */
const PROMISED_MS = 1_000;

let store: TestDatabase;
let first: TestProcess;
let second: TestProcess;
let shop: Workspace;
let person: Person;

beforeAll(async () => {
  store = await createTestDatabase();
  first = await startProcess({ connection: store.connection });
  second = await startProcess({ connection: store.connection, apiKey: first.apiKey });
});
afterAll(async () => {
  await Promise.all([first, second].map((server) => server?.stop()));
  await store?.drop();
});
beforeEach(async () => {
  shop = await Workspace.create(first.client);
  person = await newPerson(first);
});

const member = (): string => `/tenants/${shop.tenant}/members/${person.userId}`;
const publishOnSecond = async (headers = {}): Promise<number> =>
  (await second.client.with({ ...person.client.headers, ...headers }).post(shop.events(), { type: 't', data: 1 }))
    .status;

describe('with two instances', () => {
  it('what was permitted on one is permitted on the other at once for who shows the token of the answer', async () => {
    for (let round = 0; round < 20; round++) {
      expect([403, 404]).toContain(await publishOnSecond());
      const answer = await first.client.request('PUT', member(), { roles: ['publisher'] });
      const token = answer.headers.get('x-consistency-token')!;
      expect(token).toMatch(/^permissions\.\d+$/);
      expect(await publishOnSecond({ 'x-consistency-token': token })).toBe(201);
      await first.client
        .delete(member())
        .then(({ headers }) => publishOnSecond({ 'x-consistency-token': headers.get('x-consistency-token')! }));
    }
  });

  it.each([
    ['a member removed', () => first.client.delete(member())],
    ['a role taken', () => first.client.request('PUT', member(), { roles: [] })],
    [
      'a deny',
      () =>
        first.client.post(`/tenants/${shop.tenant}/permissions`, {
          principal: { user: person.userId },
          effect: 'deny',
          actions: ['event:publish'],
          resource: `tenants/${shop.tenant}`,
        }),
    ],
    ['a tenant suspended', () => first.client.post(`/tenants/${shop.tenant}/suspend`, {})],
  ])('%s on one is in force on the other within a second, under load', async (_, revoke) => {
    await first.client.request('PUT', member(), { roles: ['publisher'] });
    const seen = { lastAllowedAt: 0 };
    const load = Array.from({ length: 8 }, async () => {
      for (;;) {
        const sentAt = performance.now();
        if ((await publishOnSecond()) === 201) seen.lastAllowedAt = Math.max(seen.lastAllowedAt, sentAt);
        else if (seen.lastAllowedAt > 0) return;
      }
    });
    while (seen.lastAllowedAt === 0) await publishOnSecond();
    expect((await revoke()).status).toBeLessThan(300);
    const answeredAt = performance.now();
    await Promise.all(load);
    expect(seen.lastAllowedAt - answeredAt).toBeLessThan(PROMISED_MS);
    expect([403, 404]).toContain(await publishOnSecond());
  });

  it.each(['', 'x', 'permissions.', 'permissions.1e9', 'moons.1', 'permissions.1,'.repeat(20)])(
    'a token that none has given out ("%s") is 400',
    async (token) => {
      const { status, body } = await second.client.get('/tenants', { 'x-consistency-token': token });
      expect([status, body.errors?.[0]?.pointer]).toEqual([400, 'X-Consistency-Token']);
    },
  );

  it('a token of the future is 503 after a second: it may come', async () => {
    const { status, body } = await second.client.get('/tenants', { 'x-consistency-token': 'permissions.999999' });
    expect([status, body.code]).toEqual([503, 'not-caught-up']);
  });
});
