import { ADMIN_EMAIL, SECRET_KEY, startProcess, type TestProcess } from '../support/server/app.js';
import type { Client, Problem } from '../support/api/client.js';
import { MailServer, type ReceivedMail } from '../support/api/mail-server.js';
import { bearer, environmentWith, type Tokens } from '../support/api/people.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

const OTHER_KEY = 'another-key-of-the-operator-that-nobody-used-before';

let store: TestDatabase;
let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;

beforeEach(async () => {
  store = await createTestDatabase();
  receiver = await WebhookReceiver.start();
  server = await startProcess({ connection: store.connection });
  shop = await Workspace.create(server.client);
});
afterEach(async () => {
  await server.kill();
  await receiver.stop();
  await store.drop();
});

async function startAgain(env: Readonly<Record<string, string>>): Promise<void> {
  await server.stop();
  server = await startProcess({
    connection: store.connection,
    apiKey: server.apiKey,
    env: { LOG_LEVEL: 'error', ...env },
  });
  shop = shop.through(server.client);
}

/** Without the key that signed them, neither API keys nor passwords are valid: the owner of the mail chooses a new password. */
async function clientByMail(mail: MailServer): Promise<Client> {
  const anonymous = server.client.with({});
  expect((await server.client.get('/auth/me')).status).toBe(401);
  await anonymous.post('/auth/password/reset-request', { email: ADMIN_EMAIL });
  const [{ text }] = (await mail.received(1)) as readonly [ReceivedMail];
  const [token] = /epr_[\w-]{43}/.exec(text)!;
  const password = 'a password that was chosen after the key was lost';
  expect((await anonymous.post('/auth/password/reset', { token, newPassword: password })).status).toBe(204);
  const login = await anonymous.post<Tokens>('/auth/login', { email: ADMIN_EMAIL, password });
  return anonymous.with(bearer(login.body.accessToken));
}

it('a consumer whose secrets cannot be read is reported, affects no other one, and loses nothing until the key is back', async () => {
  const old = await shop.register(receiver.url, { id: 'old', headers: { 'x-own': 'kept' } });
  const mail = await MailServer.start();
  await startAgain({ SECRET_KEY: OTHER_KEY, ...environmentWith(mail) });
  const client = await clientByMail(mail);
  shop = shop.through(client);
  await shop.register(receiver.url, { id: 'young' });
  await shop.publish({ id: 'e1', type: 't', data: 1 });
  const [first] = await receiver.received(1);
  expect(first!.headers['x-own']).toBeUndefined();

  const status = await shop.status('old');
  expect([status.state, status.reason]).toEqual(['degraded', expect.stringContaining('another SECRET_KEY')]);
  expect((await shop.status('young')).state).toBe('active');
  for (const asked of [
    await client.post<Problem>(`${shop.consumer('old')}/test`),
    await client.patch<Problem>(shop.consumer('old'), { headers: { 'x-own': 'new' } }),
  ])
    expect([asked.status, asked.body.code]).toEqual([409, 'consumer-secrets-unreadable']);
  expect((await client.patch(shop.consumer('old'), { name: 'Old' })).status).toBe(200);
  expect(server.output()).toContain('the secrets of a consumer cannot be read; nothing is delivered to it');

  await mail.stop();
  await startAgain({ SECRET_KEY: OTHER_KEY, SECRET_KEY_PREVIOUS: SECRET_KEY });
  const [, late] = await receiver.received(2);
  expect(late!.headers).toMatchObject({ 'x-event-id': 'e1', 'x-own': 'kept' });
  await until(
    () => shop.status(old.id),
    ({ state, topics }) => state === 'active' && topics[0]!.lag.events === 0,
  );
});
