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
/** The same person, at the server that has replaced the previous one. */
const moved = (person: Person): Person =>
  Object.assign(Object.create(person) as Person, { anonymous: server.client.with({}) });
const administrator = async (): Promise<string> =>
  (await sql<{ user_id: string }>(`SELECT user_id FROM user_account WHERE name = 'Administrator'`))[0]!.user_id;

describe('an attacker who writes to the database, but has no SECRET_KEY,', () => {
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

  it('cannot create an API key of the administrator, even by waiting for a start', async () => {
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
    ['the previous secret', 'previous_digest = digest, previous_ends_at = expires_at'],
  ])('invalidates a key of their own by changing %s', async (_, change) => {
    const { tenant } = await Workspace.create(server.client);
    const bounds = { scopes: [{ tenant }], actions: ['topic:read'], allowedCidrs: ['0.0.0.0/0'] };
    const keys = new Keys(server.client);
    const [changed, same] = [await keys.create(bounds), await keys.create(bounds)];
    await sql(`UPDATE api_key SET ${change} WHERE key_id = $1`, changed.id);
    expect([await me(changed.key), await me(same.key)]).toEqual([401, 200]);
  });

  it('gains nothing by giving their own key to another user', async () => {
    const person = await Person.create(server);
    const victim = await Person.create(server);
    const [given, same] = [await keyOf(person), await keyOf(person)];
    await sql('UPDATE api_key SET user_id = $2 WHERE key_id = $1', given.id, victim.user.id);
    expect([await me(given.key), await me(same.key)]).toEqual([401, 200]);
  });

  it('cannot reset a password, neither with an invented token nor with one that was sent to themselves', async () => {
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

  it('cannot refresh their own session after giving it to another user', async () => {
    const [person, victim] = [await Person.create(server), await Person.create(server)];
    const tokens: Tokens = await person.login(stranger());
    await sql('UPDATE session SET user_id = $2 WHERE session_id = $1', tokens.sessionId, victim.user.id);
    expect((await person.refresh(tokens)).status).toBe(401);
    await sql('UPDATE session SET user_id = $2 WHERE session_id = $1', tokens.sessionId, person.user.id);
    expect((await person.refresh(tokens)).status).toBe(200);
  });
});

describe('a store', () => {
  it('keeps its keys when the master key is replaced, also those that are not used meanwhile', async () => {
    const person = await Person.create(server);
    const key = await keyOf(person);
    const tokens = await person.login(stranger());
    await startAgain({ SECRET_KEY: YOUNG_KEY, SECRET_KEY_PREVIOUS: SECRET_KEY });
    await startAgain({ SECRET_KEY: YOUNG_KEY });
    expect([await me(key.key), await me(server.apiKey)]).toEqual([200, 200]);
    // Its access and refresh tokens were signed with the key that is gone.
    expect((await moved(person).refresh(tokens)).status).toBe(401);
    await startAgain({ SECRET_KEY, SECRET_KEY_PREVIOUS: YOUNG_KEY });
  });
});
