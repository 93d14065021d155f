import { startProcess, type TestProcess } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { newPerson } from '../support/api/strangers.js';
import { Workspace } from '../support/api/workspace.js';

const LONG_MS = 60_000;

let store: TestDatabase;
let server: TestProcess;
let shop: Workspace;

beforeEach(async () => {
  store = await createTestDatabase();
  server = await startProcess({ connection: store.connection });
  shop = await Workspace.create(server.client);
}, LONG_MS);
afterEach(async () => {
  await server?.kill();
  await store.drop();
});

/** The same store in a new process without any memory of the previous one. */
async function startAgain(): Promise<void> {
  server = await startProcess({ connection: store.connection, apiKey: server.apiKey });
  shop = shop.through(server.client);
}
const event = { type: 't', data: 1 };
const status = async (client: Client, method: string, path: string, body?: object): Promise<number> =>
  (await client.request(method, path, body)).status;

it(
  'a resource that is created, deleted and created again exists or not, never both, however often the server is killed',
  async () => {
    const person = await newPerson(server);
    const ask = (method: string, path: string, body?: object): Promise<number> =>
      status(server.client, method, `/tenants/${shop.tenant}/${path}`, body);
    const things = [
      { make: () => ask('POST', 'groups', { id: 'g' }), path: 'groups/g' },
      { make: () => ask('POST', 'roles', { id: 'r', actions: ['topic:read'] }), path: 'roles/r' },
      { make: () => ask('PUT', `members/${person.userId}`, { roles: ['viewer'] }), path: `members/${person.userId}` },
    ];
    const seen = new Set<string>();
    const cycle = async ({ make, path }: (typeof things)[number]): Promise<void> => {
      for (let n = 0; n < 1_000; n++) {
        const made = await make();
        const shown = await ask('GET', path);
        const removed = await ask('DELETE', path);
        seen.add(`${made} ${shown} ${removed} ${await ask('GET', path)}`);
      }
    };
    for (let kills = 0; kills < 2; kills++) {
      const enough = server;
      // Each cycle runs until its server is gone, whatever it is doing at that moment.
      const cycles = things.map((thing) => cycle(thing).catch(() => undefined));
      await shop.publishMany(40, `k${kills}-`);
      await enough.kill();
      await Promise.all(cycles);
      await startAgain();
      for (const { make, path } of things) {
        const shown = await ask('GET', path);
        const made = await make();
        expect([path, shown, made < 300 || (made === 409 && shown === 200)]).toEqual([path, shown, true]);
        expect([path, await ask('GET', path), await ask('DELETE', path)]).toEqual([path, 200, 204]);
      }
    }
    expect([...seen].toSorted()).toEqual(['200 200 204 404', '201 200 204 404']);
  },
  LONG_MS,
);

it(
  'the first responses after a start equal the earlier ones: revoked rights stay revoked, given ones are there',
  async () => {
    const [holder, loser] = [await newPerson(server), await newPerson(server)];
    const roles = (userId: string, given: string[]): Promise<number> =>
      status(server.client, 'PUT', `/tenants/${shop.tenant}/members/${userId}`, { roles: given });
    for (let n = 0; n < 50; n++)
      await Promise.all([
        roles(holder.userId, n % 2 ? ['publisher'] : []),
        roles(loser.userId, n % 2 ? [] : ['owner']),
      ]);
    const { body: denial } = await server.client.post<{ id: string }>(`/tenants/${shop.tenant}/permissions`, {
      principal: { user: holder.userId },
      effect: 'deny',
      actions: ['event:read'],
      resource: `tenants/${shop.tenant}`,
    });
    await server.kill();
    await startAgain();
    const [asHolder, asLoser] = [holder, loser].map(({ client }) => shop.through(server.client.with(client.headers)));
    const first = await Promise.all([
      ...Array.from({ length: 20 }, () => asHolder!.tryPublish(event)),
      ...Array.from({ length: 20 }, () => asLoser!.tryPublish(event)),
      asHolder!.client.get(shop.events()),
    ]);
    const statuses = first.map((answer) => answer.status);
    expect(new Set(statuses.slice(0, 20))).toEqual(new Set([201]));
    // A member without a role sees no more than a stranger.
    expect(new Set(statuses.slice(20, 40))).toEqual(new Set([404]));
    expect([statuses[40], denial.id]).toEqual([403, expect.stringMatching(/^grt_/)]);
  },
  LONG_MS,
);
