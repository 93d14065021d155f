import { startApp, type TestApp } from '../support/server/app.js';
import { Keys, type Issued } from '../support/api/api-keys.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { MailServer } from '../support/api/mail-server.js';
import { bearer, environmentWith, newPassword, Person, stranger, type Tokens } from '../support/api/people.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import type { Page } from '../support/api/workspace.js';
import { ageResets } from '../support/faults/signed-rows.js';

let store: TestDatabase;
let app: TestApp;
let mail: MailServer;
let anonymous: Client;

beforeAll(async () => {
  [store, mail] = await Promise.all([createTestDatabase(), MailServer.start()]);
  app = await startApp({ connection: store.connection, env: environmentWith(mail) });
  anonymous = app.client.with({});
});
afterAll(async () => {
  await Promise.all([app?.stop(), mail?.stop()]);
  await store?.drop();
});

const login = (email: string, password: string, headers = stranger()): Promise<Answer<Tokens & Problem>> =>
  anonymous.post('/auth/login', { email, password }, headers);
const change = (tokens: Tokens, currentPassword: string, next: string, more: object = {}): Promise<Answer<Problem>> =>
  anonymous.post(
    '/auth/password/change',
    { currentPassword, newPassword: next, ...more },
    { ...bearer(tokens.accessToken), ...stranger() },
  );
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
describe('a new password', () => {
  it('is refused with the reason and the field', async () => {
    const { status, body } = await app.client.post('/users', { email: 'x@example.test', password: 'short' });
    expect([status, body.code, body.errors]).toEqual([
      400,
      'password-refused',
      [{ pointer: '/password', detail: 'must have at least 15 characters' }],
    ]);
  });

  it('is not the name or the e-mail with a few letters around it', async () => {
    const body = { email: 'bartholomew.simpson@example.test', name: 'Bartholomew JoJo Simpson' };
    for (const password of ['bartholomewsimpson', 'Simpson.Bartholomew1', 'bartholomew.simpson@example.test'])
      expect((await app.client.post('/users', { ...body, password })).body.code).toBe('password-refused');
  });
});

describe('a change of the password', () => {
  it('needs the current one, ends the other sessions, and leaves this one', async () => {
    const person = await Person.create(app);
    const [mine, other] = [await person.login(stranger()), await person.login(stranger())];
    const next = newPassword();
    const wrong = await change(mine, 'not the current one', next);
    expect([wrong.status, wrong.body.code]).toEqual([403, 'password-wrong']);
    expect((await change(mine, person.password, next)).status).toBe(204);
    expect([await person.status(mine), await person.status(other)]).toEqual([200, 401]);
    expect((await person.refresh(other)).status).toBe(401);
    expect((await person.refresh(mine)).status).toBe(200);
    expect((await login(person.email, person.password)).status).toBe(401);
    expect((await login(person.email, next)).status).toBe(200);
  });

  it('requires a login, not a key', async () => {
    const body = { currentPassword: app.adminPassword, newPassword: newPassword() };
    const answer = await app.client.post('/auth/password/change', body);
    expect([answer.status, answer.body.code]).toEqual([403, 'permission-denied']);
  });

  it('invalidates a reset token', async () => {
    const person = await Person.create(app);
    const token = await tokenFor(person.email);
    await change(await person.login(stranger()), person.password, newPassword());
    expect((await reset(token, newPassword())).body.code).toBe('reset-token-invalid');
  });

  it('does not let the current one be guessed for long', async () => {
    const person = await Person.create(app);
    const tokens = await person.login(stranger());
    const headers = { ...bearer(tokens.accessToken), ...stranger() };
    const guesses = Array.from({ length: 20 }, (_, i) =>
      anonymous.post('/auth/password/change', { currentPassword: `guess ${i}`, newPassword: newPassword() }, headers),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 403 || status === 503)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  });
});

it('a reset token is never sent to an earlier e-mail of the account', async () => {
  const person = await Person.create(app);
  const gate = await connect(store.connection);
  const isHeld = async (): Promise<boolean> =>
    (await gate.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
      .rowCount! > 0;
  try {
    const before = mail.mails.length;
    await gate.query('BEGIN');
    await gate.query('UPDATE user_account SET email = $2 WHERE user_id = $1', [person.user.id, `new.${person.email}`]);
    await requestReset(person.email);
    while (mail.mails.length === before && !(await isHeld())) continue;
    await gate.query('COMMIT');
    await tokenFor((await Person.create(app)).email);
    expect(mail.mails.filter(({ to }) => JSON.stringify(to).includes(person.email))).toEqual([]);
    const { rowCount } = await gate.query('SELECT 1 FROM password_reset WHERE user_id = $1', [person.user.id]);
    expect(rowCount).toBe(0);
  } finally {
    await gate.end();
  }
});

describe('API keys', () => {
  const keyOf = async (person: Person, tokens: Tokens): Promise<Issued> =>
    new Keys(person.anonymous.with({ ...bearer(tokens.accessToken), ...stranger() })).create();
  const status = async ({ key }: Issued): Promise<number> =>
    (await anonymous.get('/auth/me', { 'x-api-key': key })).status;
  const records = async (key: Issued): Promise<readonly string[]> => {
    const path = `/audit?resource=users/${key.userId}/api-keys/${key.id}`;
    const { body } = await app.client.get<Page<{ action: string }>>(path);
    return body.items.map(({ action }) => action);
  };

  it('remain valid after a change of the password, and all end with it on request', async () => {
    const person = await Person.create(app);
    const mine = await person.login(stranger());
    const [one, other] = [await keyOf(person, mine), await keyOf(person, mine)];
    const somebody = await Person.create(app);
    const foreign = await keyOf(somebody, await somebody.login(stranger()));
    const next = newPassword();
    expect((await change(mine, person.password, next)).status).toBe(204);
    expect([await status(one), await status(other)]).toEqual([200, 200]);
    expect((await change(mine, next, newPassword(), { revokeApiKeys: true })).status).toBe(204);
    expect([await status(one), await status(other), await status(foreign)]).toEqual([401, 401, 200]);
    for (const key of [one, other]) expect(await records(key)).toEqual(['api-key.revoked', 'api-key.created']);
    expect(await status(await keyOf(person, mine))).toBe(200);
  });

  it('end with a reset on request, as the mail explains', async () => {
    const person = await Person.create(app);
    const [stays, key] = [await tokenFor(person.email), await keyOf(person, await person.login(stranger()))];
    expect(mail.mails.at(-1)!.text).toContain('"revokeApiKeys": true');
    expect((await reset(stays, newPassword())).status).toBe(204);
    expect(await status(key)).toBe(200);
    expect((await reset(await tokenFor(person.email), newPassword(), { revokeApiKeys: true })).status).toBe(204);
    expect(await status(key)).toBe(401);
    expect(await records(key)).toEqual(['api-key.revoked', 'api-key.created']);
  });

  it.each(['true', 1, null])('end only if true is given, and not for similar values: %j', async (revokeApiKeys) => {
    const person = await Person.create(app);
    const mine = await person.login(stranger());
    const { status: refused, body } = await change(mine, person.password, newPassword(), { revokeApiKeys });
    expect([refused, body.errors?.map(({ pointer }) => pointer)]).toEqual([400, ['/revokeApiKeys']]);
  });
});

describe('a reset of the password', () => {
  it('sends a token that works once and ends all sessions', async () => {
    const person = await Person.create(app);
    const tokens = await person.login(stranger());
    const token = await tokenFor(person.email);
    const next = newPassword();
    expect((await reset(token, next)).status).toBe(204);
    expect(await person.status(tokens)).toBe(401);
    expect((await person.refresh(tokens)).status).toBe(401);
    expect((await login(person.email, next)).status).toBe(200);
    const again = await reset(token, newPassword());
    expect([again.status, again.body.code]).toEqual([400, 'reset-token-invalid']);
  });

  it('happens once when twenty use the token together', async () => {
    const person = await Person.create(app);
    const token = await tokenFor(person.email);
    const answers = await Promise.all(Array.from({ length: 20 }, () => reset(token, newPassword())));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  });

  it('gets the same response for every e-mail, and mails only users who exist and are not suspended', async () => {
    const [person, suspended] = [await Person.create(app), await Person.create(app)];
    await app.client.post(`/users/${suspended.user.id}/suspend`, {});
    const before = mail.mails.length;
    const answers = [
      await requestReset('nobody@example.test'),
      await requestReset(suspended.email),
      await requestReset(person.email),
    ];
    expect(answers.map(({ status, text }) => [status, text])).toEqual(answers.map(() => [202, '']));
    const letters = await mail.received(before + 1);
    expect(letters.slice(before).map(({ to }) => to)).toEqual([[person.email]]);
  });

  it('names the server from its configuration, whatever the request claims', async () => {
    const person = await Person.create(app);
    const before = mail.mails.length;
    await requestReset(person.email, {
      ...stranger(),
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      origin: 'https://evil.example',
      referer: 'https://evil.example/',
    });
    const { text, headers } = (await mail.received(before + 1)).at(-1)!;
    expect(text).toContain('POST https://store.example.test/auth/password/reset');
    expect(text + headers).not.toContain('evil');
  });

  it.each([
    [
      'the use of another',
      async (person: Person) => expect((await reset(await tokenFor(person.email), newPassword())).status).toBe(204),
    ],
    [
      'another e-mail',
      ({ user, email }: Person) => app.client.patch(`/users/${user.id}`, { email: email.replace('@', '.new@') }),
    ],
    [
      'a suspension, even after it',
      async ({ user }: Person) => {
        await app.client.post(`/users/${user.id}/suspend`, {});
        await app.client.post(`/users/${user.id}/activate`);
      },
    ],
    ['half an hour', ({ user }: Person) => ageResets(store.database, user.id, 30 * 60_000)],
  ])('is refused for a token that has seen %s', async (_, happens) => {
    const person = await Person.create(app);
    const token = await tokenFor(person.email);
    await happens(person);
    const answer = await reset(token, newPassword());
    expect([answer.status, answer.body.code]).toEqual([400, 'reset-token-invalid']);
  });

  it.each(['', 'nonsense', `epr_${'A'.repeat(43)}`, '../..', "' OR 1=1 --"])('is refused for %j', async (token) => {
    expect((await reset(token, newPassword())).body.code).toBe('reset-token-invalid');
  });

  it('is accepted for the token of the owner, although strangers ask for tokens before and after', async () => {
    const person = await Person.create(app);
    const before = mail.mails.length;
    const evil = stranger();
    for (let n = 0; n < 6; n++) await requestReset(person.email, evil);
    await mail.received(before + 3);
    const token = await tokenFor(person.email);
    await requestReset(person.email);
    const later = tokenIn((await mail.received(before + 5)).at(-1)!.text);
    expect((await reset(token, newPassword())).status).toBe(204);
    for (const other of [later, token])
      expect((await reset(other, newPassword())).body.code).toBe('reset-token-invalid');
  });

  it('happens once when all tokens of an account are used together', async () => {
    const person = await Person.create(app);
    const tokens: string[] = [];
    for (let n = 0; n < 5; n++) tokens.push(await tokenFor(person.email));
    const answers = await Promise.all(tokens.map((token) => reset(token, newPassword())));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400, 400, 400, 400]);
  });

  it('is limited per hour to three mails for an account and address, and ten from an address; no response shows it', async () => {
    const [person, witness] = [await Person.create(app), await Person.create(app)];
    const before = mail.mails.length;
    const same = stranger();
    for (let n = 0; n < 6; n++) expect((await requestReset(person.email, same)).status).toBe(202);
    const one = stranger();
    for (let n = 0; n < 12; n++) expect((await requestReset(`nobody${n}@example.test`, one)).status).toBe(202);
    expect((await requestReset(witness.email, one)).status).toBe(202);
    await requestReset(witness.email);
    const letters = (await mail.received(before + 4)).slice(before).map(({ to }) => to[0]);
    expect(letters).toEqual([person.email, person.email, person.email, witness.email]);
  });

  it('can be started by an administrator, who does not learn the token', async () => {
    const person = await Person.create(app);
    const before = mail.mails.length;
    const answer = await app.client.post(`/users/${person.user.id}/password-reset`);
    expect([answer.status, answer.text]).toEqual([202, '']);
    const next = newPassword();
    expect((await reset(tokenIn((await mail.received(before + 1)).at(-1)!.text), next)).status).toBe(204);
    expect((await login(person.email, next)).status).toBe(200);
  });
});
