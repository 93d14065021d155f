import { startProcess, type TestProcess } from '../support/server/app.js';
import { Keys, type Issued } from '../support/api/api-keys.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { Person, bearer } from '../support/api/people.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { until, Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const NAME = 'the laptop of Jane Doe';
const KEY_LOG = '/tenants/$system/namespaces/$management/topics/api-keys/events';

let store: TestDatabase;
let server: TestProcess;
let person: Person;
let keys: Issued[];

beforeEach(async () => {
  store = await createTestDatabase();
  server = await startProcess({ connection: store.connection });
  person = await Person.create(server);
  const own = new Keys(person.anonymous.with(bearer((await person.login()).accessToken)));
  keys = [await own.create({ name: NAME }), await own.create({ name: NAME })];
  await own.trying(keys[0]!.key);
});
afterEach(async () => {
  await server?.kill();
  await store?.drop();
});

const path = (key?: Issued): string => `/users/${person.user.id}/api-keys${key ? `/${key.id}` : ''}`;
/** The number of rows of the keys of the user, and of their grants. */
async function rowsLeft(): Promise<[number, number]> {
  const sql = await connect(store.connection);
  const { rows } = await sql.query<{ keys: number; grants: number }>(
    `SELECT (SELECT count(*)::int FROM api_key WHERE user_id = $1) AS keys,
       (SELECT count(*)::int FROM access_grant WHERE principal_kind = 'apiKey' AND principal_id = ANY ($2)) AS grants`,
    [person.user.id, keys.map(({ id }) => id)],
  );
  await sql.end();
  return [rows[0]!.keys, rows[0]!.grants];
}
async function codes(): Promise<unknown[]> {
  const calls = [server.client.get(path()), server.client.get(path(keys[0])), server.client.delete(path(keys[0]))];
  return (await Promise.all(calls)).map(({ status, body }) => [status, body.code]);
}
const GONE = [
  [404, 'user-not-found'],
  [404, 'api-key-not-found'],
  [404, 'api-key-not-found'],
];

it('the keys of a deleted user are gone before the response, as are their grants, and identify no one', async () => {
  const shop = await Workspace.create(server.client);
  await server.client.request('PUT', `/tenants/${shop.tenant}/members/${person.user.id}`, { roles: [] });
  await server.client.post(`/tenants/${shop.tenant}/permissions`, {
    principal: { apiKey: keys[0]!.id },
    effect: 'allow',
    actions: ['topic:read'],
    resource: `tenants/${shop.tenant}`,
  });
  expect(await rowsLeft()).toEqual([2, 1]);
  expect((await server.client.delete(`/users/${person.user.id}`)).status).toBe(204);
  expect(await rowsLeft()).toEqual([0, 0]);
  expect(await codes()).toEqual(GONE);
  for (const { key } of keys)
    expect((await person.anonymous.with({ 'x-api-key': key }).get('/auth/me')).status).toBe(401);
  const log = await server.client.get<Page<ReadEvent>>(KEY_LOG);
  const ended = log.body.items.filter(({ type }) => type === 'api-key.revoked').map(({ stream }) => stream);
  expect(ended.toSorted()).toEqual(keys.map(({ id }) => id).toSorted());
  const audit = await server.client.get('/audit?limit=1000');
  expect(audit.text).toContain('api-key.revoked');
  for (const { text } of [log, audit]) for (const known of [NAME, person.email]) expect(text).not.toContain(known);
});

it('keys left by a crash after the deletion of their user cannot be seen, and are revoked after the restart', async () => {
  const obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM api_key WHERE key_id = $1', [keys[0]!.id]);
  const asked = server.client.delete(`/users/${person.user.id}`).catch(() => undefined);
  await until(() => obstacle.isWaitedFor(), Boolean);
  expect((await server.client.get(`/users/${person.user.id}`)).status).toBe(404);
  expect(await codes()).toEqual(GONE);
  const { apiKey } = server;
  await server.kill();
  await asked;
  await obstacle.remove();
  expect((await rowsLeft())[0]).toBe(2);
  server = await startProcess({ connection: store.connection, apiKey });
  await until(rowsLeft, ([left]) => left === 0);
  const { body } = await server.client.get<Page<ReadEvent>>(KEY_LOG);
  const ended = body.items.filter(({ type }) => type === 'api-key.revoked').map(({ stream }) => stream);
  expect(ended.toSorted()).toEqual(keys.map(({ id }) => id).toSorted());
});

it('keys left by a crash after a password change that revokes them are revoked after the restart, but no newer ones', async () => {
  const obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM api_key WHERE key_id = $1', [keys[0]!.id]);
  const session = bearer((await person.login()).accessToken);
  const newPassword = 'another lantern walks 43 times';
  const passwords = { currentPassword: person.password, newPassword, revokeApiKeys: true };
  const asked = person.anonymous
    .with(session)
    .post('/auth/password/change', passwords)
    .catch(() => undefined);
  await until(() => obstacle.isWaitedFor(), Boolean);
  const { body: newer } = await person.anonymous.with(session).post<Issued>('/users/me/api-keys', { name: NAME });
  const { apiKey } = server;
  await server.kill();
  await asked;
  await obstacle.remove();
  expect((await rowsLeft())[0]).toBe(3);
  server = await startProcess({ connection: store.connection, apiKey });
  await until(rowsLeft, ([left]) => left === 1);
  const answer = await server.client.with({ 'x-api-key': newer.key }).get('/auth/me');
  expect(answer.status).toBe(200);
});

it('no key remains that was created for a user during their deletion', async () => {
  for (let round = 0; round < 5; round++) {
    person = await Person.create(server);
    const make = (): Promise<{ status: number }> => server.client.post(path(), { name: NAME, actions: ['user:read'] });
    const answers = await Promise.all([
      make(),
      make(),
      server.client.delete(`/users/${person.user.id}`),
      make(),
      make(),
    ]);
    expect(answers[2]!.status).toBe(204);
    for (const { status } of answers.toSpliced(2, 1)) expect([201, 404]).toContain(status);
    // Keys created before the deletion are revoked by the saga, if the handler did not see them.
    await until(rowsLeft, ([left]) => left === 0);
  }
});
