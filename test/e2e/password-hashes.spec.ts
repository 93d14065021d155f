import { startApp, startProcess, type TestApp } from '../support/server/app.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { credentialTexts } from '../../src/contexts/identity/adapters/credential-signatures.js';
import { signCredential } from '../support/faults/signed-rows.js';
import { MailServer } from '../support/api/mail-server.js';
import { environmentWith, newPassword, Person, stranger, type Tokens } from '../support/api/people.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

let store: TestDatabase;
let app: TestApp;
let mail: MailServer;
let anonymous: Client;

beforeAll(async () => {
  [store, mail] = await Promise.all([createTestDatabase(), MailServer.start()]);
  app = await startApp({ connection: store.connection, env: { ...environmentWith(mail), BCRYPT_COST: '10' } });
  anonymous = app.client.with({});
});
afterAll(async () => {
  await Promise.all([app?.stop(), mail?.stop()]);
  await store?.drop();
});

const login = (email: string, password: string, headers = stranger()): Promise<Answer<Tokens & Problem>> =>
  anonymous.post('/auth/login', { email, password }, headers);
const requestReset = (email: string, headers = stranger()): Promise<Answer<Problem>> =>
  anonymous.post('/auth/password/reset-request', { email }, headers);
const reset = (token: string, next: string, more: object = {}): Promise<Answer<Problem>> =>
  anonymous.post('/auth/password/reset', { token, newPassword: next, ...more }, stranger());
const tokenFor = async (email: string): Promise<string> => {
  const before = mail.mails.length;
  await requestReset(email);
  return tokenIn((await mail.received(before + 1)).at(-1)!.text);
};
const tokenIn = (text: string): string => /epr_[\w-]{43}/.exec(text)![0];
const hashOf = async (userId: string): Promise<string> => {
  const statement = { name: 'test-hash', text: 'SELECT password_hash AS hash FROM user_account WHERE user_id = $1' };
  return (await store.database.query<{ hash: string }>(statement, [userId]))[0]!.hash;
};
const setHash = (userId: string, passwordHash: string, signedFor?: string): Promise<unknown> =>
  store.database.query(
    {
      name: 'test-set-hash',
      text: 'UPDATE user_account SET password_hash = $2, password_signature = $3 WHERE user_id = $1',
    },
    [
      userId,
      passwordHash,
      signedFor ? signCredential(credentialTexts.password({ userId: signedFor, passwordHash })) : '',
    ],
  );

describe('hashes', () => {
  it('are in the current format', async () => {
    const { user } = await Person.create(app);
    expect(await hashOf(user.id)).toMatch(/^v1\$[\w-]{8}\$\$2b\$10\$/);
  });

  it('open no account that they are not signed for, such as those that were written into the database', async () => {
    const [mine, victim] = [await Person.create(app), await Person.create(app)];
    const hash = await hashOf(mine.user.id);
    for (const signedFor of [undefined, mine.user.id]) {
      await setHash(victim.user.id, hash, signedFor);
      expect((await login(victim.email, mine.password)).status).toBe(401);
    }
    // The owner gets access again by mail.
    const next = newPassword();
    expect((await reset(await tokenFor(victim.email), next)).status).toBe(204);
    expect((await login(victim.email, next)).status).toBe(200);
  });

  it('get the current cost at the login', async () => {
    const costly = await startProcess({
      connection: store.connection,
      apiKey: app.apiKey,
      env: { BCRYPT_COST: '11' },
    });
    const { user, email, password } = await Person.create(app);
    expect((await costly.client.with({}).post('/auth/login', { email, password })).status).toBe(200);
    expect(await hashOf(user.id)).toMatch(/^v1\$[\w-]{8}\$\$2b\$11\$/);
    expect((await costly.client.with({}).post('/auth/login', { email, password })).status).toBe(200);
    await costly.stop();
  });
});
