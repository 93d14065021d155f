import { QUICK_TAKEOVER, startProcess, type TestProcess } from '../support/server/app.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { member, type Person } from '../support/api/strangers.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer } from '../support/api/workspace.js';

let store: TestDatabase;
let shop: Workspace;
let person: Person;
const receivers: WebhookReceiver[] = [];
const running: TestProcess[] = [];

beforeEach(async () => {
  store = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all([...running.splice(0).map((one) => one.kill()), ...receivers.splice(0).map((one) => one.stop())]);
  await store.drop();
});

async function launch(apiKey?: string, env: Record<string, string> = {}): Promise<TestProcess> {
  const options = { connection: store.connection, env: { ...QUICK_TAKEOVER, ...env }, ...(apiKey && { apiKey }) };
  const server = await startProcess(options);
  running.push(server);
  return server;
}

async function receive(): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.start();
  receivers.push(receiver);
  return receiver;
}

async function settle(server: TestProcess): Promise<void> {
  shop = await Workspace.create(server.client);
  person = await member(server, shop.tenant, 'subscriber');
}

const ofPerson = (server: TestProcess): Workspace => shop.through(server.client.with(person.client.headers));
const removePerson = async ({ client }: TestProcess): Promise<void> => {
  const { status, text } = await client.delete(`/tenants/${shop.tenant}/members/${person.userId}`);
  if (status !== 204) throw new Error(text);
};
const shown = async ({ client }: TestProcess, id: string): Promise<Consumer> =>
  (await client.get<Consumer>(shop.consumer(id))).body;

it('a consumer that lost its right just before a crash is paused after the start, without further action', async () => {
  const first = await launch();
  await settle(first);
  const { id } = await ofPerson(first).register((await receive()).url);
  const obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM consumer WHERE tenant_id = $1', [shop.tenant]);
  await removePerson(first);
  await until(() => obstacle.isWaitedFor(), Boolean);
  await first.kill();
  await obstacle.remove();
  const second = await launch(first.apiKey);
  const consumer = await until(
    () => shown(second, id),
    ({ state }) => state === 'paused',
  );
  expect(consumer.pauseReason).toBe('no-longer-permitted');
});

it('a right that is revoked at one instance stops deliveries at another, which continue from there after a resume', async () => {
  const first = await launch(undefined, { ROLES: 'api' });
  await launch(first.apiKey);
  await settle(first);
  const [receiver, witness] = [await receive(), await receive()];
  const { id } = await ofPerson(first).register(receiver.url);
  await shop.register(witness.url);
  const publish = async (): Promise<void> => {
    const { lastPosition } = await shop.publish({ type: 't', data: 1 });
    await witness.received(lastPosition);
  };
  await publish();
  await receiver.received(1);
  await removePerson(first);
  const fallsBehind = async (): Promise<number> => {
    await publish();
    return witness.requests.length - receiver.requests.length;
  };
  await until(fallsBehind, (events) => events > 3, 2_000);
  expect((await first.client.post(`${shop.consumer(id)}/resume`)).status).toBe(200);
  await receiver.received(witness.requests.length);
  const positions = receiver.requests.map(({ headers }) => Number(headers['x-event-position']));
  expect(positions).toEqual(positions.map((_, i) => i + 1));
});

/** The state after a crash between the deletion of a namespace and that of its contents. */
async function loseNamespace(): Promise<void> {
  const sql = await connect(store.connection);
  const { rowCount } = await sql.query('DELETE FROM namespace WHERE tenant_id = $1', [shop.tenant]);
  await sql.end();
  if (rowCount !== 1) throw new Error('There is no namespace');
}

it('a consumer whose namespace is being deleted does not prevent the pause of others', async () => {
  const server = await launch();
  await settle(server);
  const { url } = await receive();
  await ofPerson(server).register(url);
  const [leaving, going] = [person, shop];
  await loseNamespace();
  shop = await Workspace.create(server.client);
  const { userId, client } = await member(server, shop.tenant, 'subscriber');
  const { id } = await shop.through(server.client.with(client.headers)).register(url);
  await server.client.delete(`/tenants/${going.tenant}/members/${leaving.userId}`);
  await server.client.delete(`/tenants/${shop.tenant}/members/${userId}`);
  const { pauseReason } = await until(
    () => shown(server, id),
    ({ state }) => state === 'paused',
  );
  expect(pauseReason).toBe('no-longer-permitted');
});
