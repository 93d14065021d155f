import { startApp, type TestApp } from '../support/server/app.js';
import type { Answer, Client, Problem, RequestHeaders } from '../support/api/client.js';
import { MailServer } from '../support/api/mail-server.js';
import { environmentWith, from, newPassword, Person, stranger, type Tokens } from '../support/api/people.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { ageResets } from '../support/faults/signed-rows.js';

const PUBLIC_URL = 'https://store.example.test';

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

const login = (email: string, password: string, headers: RequestHeaders): Promise<Answer<Tokens & Problem>> =>
  anonymous.post('/auth/login', { email, password }, headers);
const WRONG = 'not the password';
const count = <T>(all: readonly T[], wanted: T): number => all.filter((one) => one === wanted).length;

describe('guesses of a password', () => {
  it('ten of a hundred concurrent ones from one place are checked, and the owner is not locked out', async () => {
    const person = await Person.create(app);
    const home = stranger();
    const tokens = await person.login(home);
    const place = stranger();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => login(person.email, `guess ${n}`, place)));
    const statuses = answers.map(({ status }) => status);
    expect(count(statuses, 401)).toBeGreaterThan(0);
    expect(count(statuses, 401)).toBeLessThanOrEqual(10);
    expect(count(statuses, 401) + count(statuses, 429) + count(statuses, 503)).toBe(100);
    expect((await login(person.email, person.password, place)).status).toBe(429);
    expect((await login(person.email, person.password, home)).status).toBe(200);
    expect([await person.status(tokens), (await person.refresh(tokens)).status]).toEqual([200, 200]);
  });

  it('a hundred from a hundred places close the account to strangers, but not to the place of its owner', async () => {
    const person = await Person.create(app);
    const home = stranger();
    const tokens = await person.login(home);
    let failures = 0;
    for (let batch = 1; failures < 100; batch++) {
      const guesses = Array.from({ length: 20 }, (_, n) =>
        login(person.email, WRONG, from(`198.18.${batch}.${n + 1}`)),
      );
      failures += count(
        (await Promise.all(guesses)).map(({ status }) => status),
        401,
      );
    }
    // The waits double from one second on: a slow machine may have spent the first ones.
    while ((await login(person.email, WRONG, stranger())).status !== 429);
    const elsewhere = await login(person.email, person.password, stranger());
    expect([elsewhere.status, elsewhere.body.code]).toEqual([429, 'login-throttled']);
    expect((await login(person.email, person.password, home)).status).toBe(200);
    expect(await person.status(tokens)).toBe(200);
  });
});

describe('whether there is an account', () => {
  const shown = ({ status, headers, body }: Answer<Problem>): object => ({
    status,
    headers: [...headers].filter(([name]) => !['date', 'x-correlation-id'].includes(name)),
    body: { ...body, correlationId: '' },
  });

  /** A server on which the hash is most of a login, as in production. */
  let costly: TestApp;
  beforeAll(async () => {
    costly = await startApp({
      connection: store.connection,
      apiKey: app.apiKey,
      env: { ...environmentWith(mail), BCRYPT_COST: '10' },
    });
  });
  afterAll(() => costly?.stop());
  const tryLogin = (email: string, password: string, headers: RequestHeaders): Promise<Answer<Problem>> =>
    costly.client.with({}).post('/auth/login', { email, password }, headers);

  it('is not revealed by status, body, headers or time: unknown, suspended, wrong, or refused as a guess', async () => {
    const [known, suspended] = [await Person.create(costly), await Person.create(costly)];
    await costly.client.post(`/users/${suspended.user.id}/suspend`, {});
    const kinds: readonly (readonly [string, string])[] = [
      ['unknown@example.test', WRONG],
      [known.email, WRONG],
      [suspended.email, WRONG],
      [suspended.email, suspended.password],
    ];
    const times = kinds.map((): number[] => []);
    const answers: object[] = [];
    for (let round = 0; round < 9; round++)
      for (const [kind, [email, password]] of kinds.entries()) {
        const begin = performance.now();
        answers.push(shown(await tryLogin(email, password, stranger())));
        times[kind]!.push(performance.now() - begin);
      }
    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'login-failed' } });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const medians = times.map((all) => all.toSorted((a, b) => a - b)[4]!);
    // Without a hash for the unknown and the suspended it would be 10 or more.
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(2);
    const place = stranger();
    const refused = [];
    for (const email of [known.email, 'unknown@example.test']) {
      await Promise.all(Array.from({ length: 11 }, () => login(email, WRONG, place)));
      const { status, body } = await login(email, known.password, place);
      refused.push({ status, code: body.code, detail: body.detail });
    }
    expect(refused[0]).toMatchObject({ status: 429, code: 'login-throttled' });
    expect(refused[1]).toEqual(refused[0]);
  }, 60_000);
});

describe('a reset of the password', () => {
  const ask = (email: string, headers: RequestHeaders = {}): Promise<Answer<Problem>> =>
    anonymous.post('/auth/password/reset-request', { email }, { ...stranger(), ...headers });
  const reset = (token: string): Promise<Answer<Problem>> =>
    anonymous.post('/auth/password/reset', { token, newPassword: newPassword() }, stranger());
  const tokenFor = async (person: Person): Promise<string> => {
    const before = mail.mails.length;
    expect((await ask(person.email)).status).toBe(202);
    return /epr_[\w-]{43}/.exec((await mail.received(before + 1)).at(-1)!.text)![0];
  };

  it('gets the same response for an unknown e-mail, which gets no mail', async () => {
    const person = await Person.create(app);
    const before = mail.mails.length;
    const [unknown, known] = [await ask('nobody@example.test'), await ask(person.email)];
    expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
    const letters = (await mail.received(before + 1)).slice(before);
    expect(letters.map(({ to }) => to)).toEqual([[person.email]]);
  });

  it('names the server from its configuration, even if the request forges its host', async () => {
    const person = await Person.create(app);
    const before = mail.mails.length;
    const body = JSON.stringify({ email: person.email });
    const head = [
      'POST /auth/password/reset-request HTTP/1.1',
      'Host: evil.example',
      'X-Forwarded-For: 203.0.113.77',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Proto: http',
      'X-Host: evil.example',
      'Forwarded: for=203.0.113.77;host=evil.example;proto=http',
      'Origin: https://evil.example',
      'Referer: https://evil.example/',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ];
    expect((await sendRaw(app.url, `${head.join('\r\n')}\r\n\r\n${body}`)).status).toBe(202);
    const { text, headers } = (await mail.received(before + 1)).at(-1)!;
    expect(text).toContain(`${PUBLIC_URL}/auth/password/reset`);
    expect(text + headers).not.toContain('evil');
  });

  const age = (userId: string, byMs: number): Promise<void> => ageResets(store.database, userId, byMs);

  it.each([
    ['was used', (_: Person, token: string) => reset(token)],
    ['is half an hour old', ({ user }: Person) => age(user.id, 30 * 60_000)],
    ['has seen the use of another', async (person: Person) => reset(await tokenFor(person))],
    [
      'has seen another e-mail',
      ({ user, email }: Person) => app.client.patch(`/users/${user.id}`, { email: email.replace('@', '.new@') }),
    ],
    ['has seen the deletion of its user', ({ user }: Person) => app.client.delete(`/users/${user.id}`)],
  ])('is refused for a token that %s', async (_, happens) => {
    const person = await Person.create(app);
    const token = await tokenFor(person);
    await happens(person, token);
    const answer = await reset(token);
    expect([answer.status, answer.body.code]).toEqual([400, 'reset-token-invalid']);
  });

  it('is accepted for a token that is almost half an hour old', async () => {
    const person = await Person.create(app);
    const token = await tokenFor(person);
    await age(person.user.id, 29 * 60_000);
    expect((await reset(token)).status).toBe(204);
  });

  it('requested a thousand times an hour sends twenty mails, and no response shows it', async () => {
    const [person, witness] = [await Person.create(app), await Person.create(app)];
    const before = mail.mails.length;
    const statuses = new Set<number>();
    for (let n = 0; n < 1_000; n += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(person.email)));
      for (const { status } of answers) statuses.add(status);
    }
    expect([...statuses]).toEqual([202]);
    await ask(witness.email);
    const letters = (await mail.received(before + 21)).slice(before);
    const expected = [...Array<string>(20).fill(person.email), witness.email];
    expect(letters.map(({ to }) => to[0]).toSorted()).toEqual(expected.toSorted());
  });
});
