import { createHash } from 'node:crypto';
import { newApiKey } from '../../src/contexts/identity/domain/api-key-format.js';
import { SECRET_KEY, startProcess, type TestProcess } from '../support/server/app.js';
import { Keys, type Issued } from '../support/api/api-keys.js';
import { MailServer } from '../support/api/mail-server.js';
import { bearer, environmentWith, newPassword, Person, stranger, type Tokens } from '../support/api/people.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { Workspace } from '../support/api/workspace.js';

const YOUNG_KEY = 'the-master-key-that-takes-the-place-of-the-first-one';

let mail: MailServer;
let store: TestDatabase;
let server: TestProcess;

beforeAll(async () => {
  mail = await MailServer.start();
  store = await createTestDatabase();
  server = await startProcess({ connection: store.connection, env: environmentWith(mail) });
});
afterAll(async () => {
  await server?.kill();
  await store?.drop();
  await mail?.stop();
});

const sql = <T = object>(text: string, ...values: unknown[]): Promise<T[]> =>
  store.database.query<T>({ name: '', text }, values);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const me = async (apiKey: string): Promise<number> =>
  (await server.client.with({ 'x-api-key': apiKey }).get('/auth/me', stranger())).status;
async function startAgain(env: Readonly<Record<string, string>> = {}): Promise<void> {
  await server.kill();
  const { apiKey } = server;
  server = await startProcess({
    connection: store.connection,
    apiKey,
    env: { ...environmentWith(mail), LOG_LEVEL: 'error', ...env },
  });
}
const keyOf = async (person: Person): Promise<Issued> =>
  new Keys(server.client.with(bearer((await person.login(stranger())).accessToken))).create();
/** The same person, at the server that has taken the place of the one before. */
const moved = (person: Person): Person =>
  Object.assign(Object.create(person) as Person, { anonymous: server.client.with({}) });
const administrator = async (): Promise<string> =>
  (await sql<{ user_id: string }>(`SELECT user_id FROM user_account WHERE name = 'Administrator'`))[0]!.user_id;

describe('who writes to the database, but has no SECRET_KEY', () => {
  const plant = async (): Promise<string> => {
    const { id, secret, key } = newApiKey('live');
    await sql(
      `INSERT INTO api_key (key_id, user_id, name, digest, created_at, signature) VALUES ($1, $2, 'planted', $3, 0, '')`,
      id,
      await administrator(),
      sha256(secret),
    );
    return key;
  };

  it('makes no API key of the administrator, also not by waiting for a start', async () => {
    const key = await plant();
    expect(await me(key)).toBe(401);
    await startAgain();
    expect(await me(key)).toBe(401);
    expect(server.output()).toContain('credentials that this installation did not sign are refused');
    expect(await me(server.apiKey)).toBe(200);
  });

  it.each<[string, string]>([
    ['the digest', `digest = '${sha256('another')}'`],
    ['the end', 'expires_at = expires_at + 1'],
    ['the scopes', 'scopes = NULL'],
    ['the actions', 'actions = NULL'],
    ['the addresses', 'allowed_cidrs = NULL'],
    ['the secret of before', 'previous_digest = digest, previous_ends_at = expires_at'],
  ])('loses a key of his own when he changes %s', async (_, change) => {
    const { tenant } = await Workspace.create(server.client);
    const bounds = { scopes: [{ tenant }], actions: ['topic:read'], allowedCidrs: ['0.0.0.0/0'] };
    const keys = new Keys(server.client);
    const [changed, same] = [await keys.create(bounds), await keys.create(bounds)];
    await sql(`UPDATE api_key SET ${change} WHERE key_id = $1`, changed.id);
    expect([await me(changed.key), await me(same.key)]).toEqual([401, 200]);
  });

  it('has nothing of his own key that he gives to somebody else', async () => {
    const person = await Person.create(server);
    const victim = await Person.create(server);
    const [given, same] = [await keyOf(person), await keyOf(person)];
    await sql('UPDATE api_key SET user_id = $2 WHERE key_id = $1', given.id, victim.user.id);
    expect([await me(given.key), await me(same.key)]).toEqual([401, 200]);
  });

  it('resets no password: neither by a token of his own making, nor by one that was sent to himself', async () => {
    const [person, victim] = [await Person.create(server), await Person.create(server)];
    const reset = async (token: string): Promise<number> => {
      const body = { token, newPassword: newPassword() };
      return (await server.client.with({}).post('/auth/password/reset', body, stranger())).status;
    };
    const token = `epr_${'A'.repeat(43)}`;
    const INSERT = `INSERT INTO password_reset (user_id, digest, created_at, expires_at, signature) VALUES ($1, $2, 0, 99999999999999, '')`;
    await sql(INSERT, victim.user.id, sha256(token));
    expect(await reset(token)).toBe(400);
    const sent = mail.mails.length;
    await server.client.with({}).post('/auth/password/reset-request', { email: person.email }, stranger());
    const [own] = /epr_[\w-]{43}/.exec((await mail.received(sent + 1)).at(-1)!.text)!;
    await sql('DELETE FROM password_reset WHERE user_id = $1', victim.user.id);
    await sql('UPDATE password_reset SET user_id = $2 WHERE user_id = $1', person.user.id, victim.user.id);
    expect(await reset(own)).toBe(400);
    await sql('UPDATE password_reset SET user_id = $2 WHERE user_id = $1', victim.user.id, person.user.id);
    expect(await reset(own)).toBe(204);
  });

  it('refreshes no session of his own that he gives to somebody else', async () => {
    const [person, victim] = [await Person.create(server), await Person.create(server)];
    const tokens: Tokens = await person.login(stranger());
    await sql('UPDATE session SET user_id = $2 WHERE session_id = $1', tokens.sessionId, victim.user.id);
    expect((await person.refresh(tokens)).status).toBe(401);
    await sql('UPDATE session SET user_id = $2 WHERE session_id = $1', tokens.sessionId, person.user.id);
    expect((await person.refresh(tokens)).status).toBe(200);
  });
});

describe('a store', () => {
  it('takes its keys along when the master key is replaced, also those that nobody uses meanwhile', async () => {
    const person = await Person.create(server);
    const key = await keyOf(person);
    const tokens = await person.login(stranger());
    await startAgain({ SECRET_KEY: YOUNG_KEY, SECRET_KEY_PREVIOUS: SECRET_KEY });
    await startAgain({ SECRET_KEY: YOUNG_KEY });
    expect([await me(key.key), await me(server.apiKey)]).toEqual([200, 200]);
    // Its access tokens are of the key that is gone, and so are its refresh tokens.
    expect((await moved(person).refresh(tokens)).status).toBe(401);
    await startAgain({ SECRET_KEY, SECRET_KEY_PREVIOUS: YOUNG_KEY });
  });
});
