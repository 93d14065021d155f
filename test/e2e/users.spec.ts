import { randomBytes } from 'node:crypto';
import { startApp, type TestApp } from '../support/server/app.js';
import type { Answer, Client } from '../support/api/client.js';
import { MailServer } from '../support/api/mail-server.js';
import { bearer, newPassword, Person, type User } from '../support/api/people.js';
import type { Page, ReadEvent } from '../support/api/workspace.js';

const MANAGEMENT = '/tenants/$system/namespaces/$management/topics';
let app: TestApp;
let mail: MailServer;
let admin: Client;
let anonymous: Client;

beforeAll(async () => {
  mail = await MailServer.start();
  app = await startApp({
    env: { MAIL_URL: mail.url, MAIL_FROM: 'store@example.test', PUBLIC_URL: 'https://store.example.test' },
  });
  admin = app.client;
  anonymous = admin.with({});
});
afterAll(() => Promise.all([app?.stop(), mail?.stop()]));

const freshEmail = (): string => `u${randomBytes(6).toString('hex')}@example.test`;
const createUser = async (body: object): Promise<User> => {
  const answer = await admin.post<User>('/users', body);
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.body;
};
const eventsOf = async (userId: string, topic = 'users'): Promise<ReadEvent[]> => {
  const { body } = await admin.get<Page<ReadEvent>>(`${MANAGEMENT}/${topic}/events?limit=1000&order=desc`);
  return body.items.filter((event) => JSON.stringify(event).includes(userId)).toReversed();
};

describe('a user', () => {
  it('is created with a password, shown, and logs in', async () => {
    const email = freshEmail();
    const password = newPassword();
    const answer = await admin.post<User>('/users', { email, name: 'Jane Doe', password });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ email, name: 'Jane Doe', kind: 'human', state: 'active', version: 1 });
    expect(answer.headers.get('location')).toBe(`/users/${answer.body.id}`);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text).not.toContain(password);
    expect((await admin.get<User>(`/users/${answer.body.id}`)).body).toEqual(answer.body);
    expect((await anonymous.post('/auth/login', { email, password })).status).toBe(200);
  });

  it('can log in with any case of their e-mail, and cannot be created twice in another case', async () => {
    const email = freshEmail();
    const password = newPassword();
    await createUser({ email: email.toUpperCase(), password });
    expect((await anonymous.post('/auth/login', { email: email.toUpperCase(), password })).status).toBe(200);
    const again = await admin.post('/users', { email, password });
    expect([again.status, again.body.code]).toEqual([409, 'email-taken']);
  });

  it('is created once by twenty concurrent requests', async () => {
    const before = mail.mails.length;
    const email = freshEmail();
    const answers = await Promise.all(Array.from({ length: 20 }, () => admin.post('/users', { email })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    expect((await mail.received(before + 1)).at(-1)!.to).toEqual([email]);
  });

  it('is created once with an Idempotency-Key', async () => {
    const body = { email: freshEmail(), password: newPassword() };
    const key = { 'idempotency-key': randomBytes(8).toString('hex') };
    const [first, second] = [await admin.post<User>('/users', body, key), await admin.post<User>('/users', body, key)];
    expect([second.status, second.body.id]).toEqual([201, first.body.id]);
  });

  it.each([
    ['no e-mail', { password: 'a good password' }],
    ['an e-mail that is none', { email: 'nobody', password: 'a good password' }],
    ['two e-mails', { email: 'a@example.test,b@example.test' }],
    ['a line break in the e-mail', { email: 'a@example.test\r\nBcc: b@example.test' }],
    ['NUL in the name', { email: 'a@example.test', name: 'a\u0000b' }],
    ['an unknown kind', { email: 'a@example.test', kind: 'root' }],
    ['an id', { email: 'a@example.test', id: 'usr_1' }],
    ['a role', { email: 'a@example.test', role: 'system-admin' }],
    ['a state', { email: 'a@example.test', state: 'active' }],
    ['a password that is an array', { email: 'a@example.test', password: ['a good password'] }],
    ['null for the e-mail', { email: null, name: 'x' }],
    ['a service account with an e-mail', { kind: 'service', name: 'bot', email: 'a@example.test' }],
    ['a service account with a password', { kind: 'service', name: 'bot', password: 'a good password' }],
    ['a service account without a name', { kind: 'service' }],
  ])('is refused with %s', async (_, body) => {
    const answer = await admin.post('/users', body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
  });

  it('can get another name and e-mail; a stale version changes nothing', async () => {
    const { user, password } = await Person.create(app);
    const email = freshEmail();
    const changed = await admin.patch<User>(`/users/${user.id}`, { name: 'New', email }, { 'if-match': '"1"' });
    expect([changed.status, changed.body]).toEqual([200, expect.objectContaining({ name: 'New', email, version: 3 })]);
    expect(changed.headers.get('etag')).toBe('"3"');
    const stale = await admin.patch(`/users/${user.id}`, { name: 'Newer' }, { 'if-match': '"1"' });
    expect([stale.status, stale.body.code]).toEqual([412, 'version-mismatch']);
    expect((await anonymous.post('/auth/login', { email, password })).status).toBe(200);
    expect((await anonymous.post('/auth/login', { email: user.email!, password })).status).toBe(401);
    expect((await admin.patch(`/users/${user.id}`, { email: app.adminEmail })).body.code).toBe('email-taken');
  });

  it('changes their own name, and nothing else, under /auth/me', async () => {
    const person = await Person.create(app);
    const { accessToken } = await person.login();
    const answer = await anonymous.patch<User>('/auth/me', { name: 'Myself' }, bearer(accessToken));
    expect([answer.status, answer.body.name]).toEqual([200, 'Myself']);
    for (const body of [
      { email: freshEmail() },
      { state: 'active' },
      { kind: 'service' },
      { name: null },
      { name: '' },
    ])
      expect((await anonymous.patch('/auth/me', body, bearer(accessToken))).status).toBe(400);
    expect((await anonymous.get<User>('/auth/me', bearer(accessToken))).body).toMatchObject({
      id: person.user.id,
      name: 'Myself',
      email: person.email,
    });
  });

  it('that does not exist is 404', async () => {
    for (const answer of [
      await admin.get('/users/usr_none'),
      await admin.patch('/users/usr_none', { name: 'x' }),
      await admin.delete('/users/usr_none'),
      await admin.post('/users/usr_none/suspend', {}),
      await admin.post('/users/usr_none/activate'),
      await admin.post('/users/usr_none/password-reset'),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'user-not-found']);
  });
});

describe('the list of users', () => {
  it('has pages without gaps or duplicates, and can be filtered by e-mail', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => createUser({ kind: 'service', name: 'bot' })));
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Answer<Page<User>> = await admin.get(
        `/users?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      seen.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    const { user, email } = await Person.create(app);
    const found = await admin.get<Page<User>>(`/users?email=${encodeURIComponent(email.toUpperCase())}`);
    expect(found.body.items.map(({ id }) => id)).toEqual([user.id]);
    expect((await admin.get('/users?cursor=nonsense')).status).toBe(400);
  });
});

describe('a suspended user', () => {
  it('is locked out at once, with all tokens, and can log in again after the activation', async () => {
    const person = await Person.create(app);
    const tokens = await person.login();
    expect(await person.status(tokens)).toBe(200);
    const suspended = await admin.post<User>(`/users/${person.user.id}/suspend`, { reason: 'left' });
    expect([suspended.status, suspended.body]).toEqual([
      200,
      expect.objectContaining({ state: 'suspended', reason: 'left' }),
    ]);
    expect(await person.status(tokens)).toBe(401);
    expect((await person.refresh(tokens)).status).toBe(401);
    expect((await person.tryLogin()).body.code).toBe('login-failed');
    const active = await admin.post<User>(`/users/${person.user.id}/activate`);
    expect([active.status, active.body]).toEqual([200, expect.objectContaining({ state: 'active', reason: null })]);
    expect(await person.status(tokens)).toBe(401);
    expect((await person.refresh(tokens)).status).toBe(401);
    expect(await person.status(await person.login())).toBe(200);
    expect((await admin.post(`/users/${person.user.id}/suspend`)).status).toBe(200);
  });

  it('is not admitted by a login that began before', async () => {
    const person = await Person.create(app);
    const [login] = await Promise.all([person.tryLogin(), admin.post(`/users/${person.user.id}/suspend`, {})]);
    // The login may have been faster; then its session has ended, and an activation does not restore it.
    const { accessToken = 'none', refreshToken = 'none' } = login.body;
    expect(await person.status({ accessToken })).toBe(401);
    await admin.post(`/users/${person.user.id}/activate`);
    expect((await person.refresh({ refreshToken })).status).toBe(401);
  });

  it('cannot be the caller', async () => {
    const me = (await admin.get<User>('/auth/me')).body;
    for (const answer of [await admin.post(`/users/${me.id}/suspend`, {}), await admin.delete(`/users/${me.id}`)])
      expect([answer.status, answer.body.code]).toEqual([409, 'own-account']);
  });
});

describe('a deleted user', () => {
  it('is locked out at once and erased; the log keeps an id that identifies no one', async () => {
    const person = await Person.create(app, { name: 'Erase Me Please' });
    const tokens = await person.login();
    expect(await person.status(tokens)).toBe(200);
    expect((await admin.delete(`/users/${person.user.id}`)).status).toBe(204);
    expect(await person.status(tokens)).toBe(401);
    expect((await person.refresh(tokens)).status).toBe(401);
    expect((await person.tryLogin()).status).toBe(401);
    expect((await admin.get(`/users/${person.user.id}`)).status).toBe(404);
    const events = [...(await eventsOf(person.user.id)), ...(await eventsOf(person.user.id, 'sessions'))];
    expect(events.map(({ type }) => type)).toEqual(['user.created', 'user.deleted', 'session.ended']);
    for (const personal of [person.email, 'Erase Me']) expect(JSON.stringify(events)).not.toContain(personal);
  });

  it('leaves their e-mail free; their tokens are not valid for its next user', async () => {
    const person = await Person.create(app);
    const tokens = await person.login();
    await admin.delete(`/users/${person.user.id}`);
    const other = await createUser({ email: person.email, password: person.password });
    expect(other.id).not.toBe(person.user.id);
    expect(await person.status(tokens)).toBe(401);
    expect(await person.status(await person.login())).toBe(200);
  });
});

describe('a service account', () => {
  it('has a name, no e-mail and cannot log in', async () => {
    const bot = await createUser({ kind: 'service', name: 'importer' });
    expect(bot).toMatchObject({ kind: 'service', email: null, name: 'importer', state: 'active' });
    for (const answer of [
      await admin.patch(`/users/${bot.id}`, { email: freshEmail() }),
      await admin.post(`/users/${bot.id}/password-reset`),
    ])
      expect([answer.status, answer.body.code]).toEqual([409, 'service-account']);
  });
});

describe('an invitation', () => {
  it('is sent by mail if no password is given; its token sets the first one, once', async () => {
    const before = mail.mails.length;
    const email = freshEmail();
    const user = await createUser({ email });
    expect(user.state).toBe('invited');
    const letter = (await mail.received(before + 1)).at(-1)!;
    expect(letter).toMatchObject({ from: 'store@example.test', to: [email] });
    expect(letter.text).toContain('https://store.example.test/auth/password/reset');
    const token = /epr_[\w-]{43}/.exec(letter.text)![0];
    const newOne = newPassword();
    expect((await anonymous.post('/auth/password/reset', { token, newPassword: newOne })).status).toBe(204);
    expect((await anonymous.post('/auth/login', { email, password: newOne })).status).toBe(200);
    expect((await admin.get<User>(`/users/${user.id}`)).body.state).toBe('active');
    expect((await anonymous.post('/auth/password/reset', { token, newPassword: newOne })).body.code).toBe(
      'reset-token-invalid',
    );
  });
});

describe('the first administrator', () => {
  it('is a user like any other, with their own events', async () => {
    const me = (await admin.get<User>('/auth/me')).body;
    expect(me).toMatchObject({ email: app.adminEmail, kind: 'human', version: 1 });
    expect((await eventsOf(me.id)).map(({ type }) => type)).toEqual(['user.created']);
  });
});
