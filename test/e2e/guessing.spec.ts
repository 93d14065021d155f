import { startApp, type TestApp } from '../support/server/app.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { MailServer } from '../support/api/mail-server.js';
import {
  bearer,
  environmentWith,
  from,
  newPassword,
  Person,
  stranger,
  type Tokens,
  type User,
} from '../support/api/people.js';
import { Workspace } from '../support/api/workspace.js';

let app: TestApp;
let mail: MailServer;
let anonymous: Client;

beforeAll(async () => {
  mail = await MailServer.start();
  app = await startApp({ env: { ...environmentWith(mail), BCRYPT_COST: '10' } });
  anonymous = app.client.with({});
});
afterAll(() => Promise.all([app?.stop(), mail?.stop()]));

const login = (email: string, password: string, headers = stranger()): Promise<Answer<Tokens & Problem>> =>
  anonymous.post('/auth/login', { email, password }, headers);

describe('whether there is an account', () => {
  it('is not revealed by the response to a failed login: unknown, wrong, suspended, invited', async () => {
    const [person, suspended] = [await Person.create(app), await Person.create(app)];
    await app.client.post(`/users/${suspended.user.id}/suspend`, {});
    const invited = 'invited@example.test';
    await app.client.post<User>('/users', { email: invited });
    const answers = [
      await login('unknown@example.test', 'not the password'),
      await login(person.email, 'not the password'),
      await login(suspended.email, suspended.password),
      await login(invited, 'not the password'),
    ];
    const seen = answers.map(({ status, headers, body }) => ({
      status,
      headers: [...headers]
        .filter(([name]) => !['date', 'x-correlation-id'].includes(name))
        .map(([name, value]) => [name, value.replace(/;t=\d+/, ';t=N')]),
      body: { ...body, correlationId: '' },
    }));
    expect(seen[0]!.status).toBe(401);
    for (const other of seen) expect(other).toEqual(seen[0]);
  });
});

describe('a client that guesses', () => {
  it('gets ten tries at an account, in parallel or not, then waits; refused guesses are not hashed', async () => {
    const person = await Person.create(app);
    const guesser = stranger();
    const guesses = Array.from({ length: 29 }, (_, i) => login(person.email, `guess number ${i}`, guesser));
    const answers = await Promise.all(guesses);
    // A busy machine may refuse some of the ten, which does not add further tries.
    expect(answers.filter(({ status }) => status === 401 || status === 503)).toHaveLength(10);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(19);
    for (const { body, headers } of refused)
      expect([body.code, Number(headers.get('retry-after')) >= 1]).toEqual(['login-throttled', true]);
  });

  it('makes only itself wait, not the owner, who can log in from elsewhere and continue their session', async () => {
    const person = await Person.create(app);
    const tokens = await person.login(stranger());
    const guesser = stranger();
    for (let n = 0; n < 11; n++) await login(person.email, `guess ${n}`, guesser);
    expect((await login(person.email, person.password, guesser)).status).toBe(429);
    expect((await login(person.email, person.password)).status).toBe(200);
    const body = { currentPassword: person.password, newPassword: newPassword() };
    const headers = { ...bearer(tokens.accessToken), ...guesser };
    expect((await anonymous.post('/auth/password/change', body, headers)).status).toBe(204);
  });

  it('at unknown accounts is treated the same', async () => {
    const guesser = stranger();
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await login('nobody@example.test', `guess ${n}`, guesser)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.slice(-2)).toEqual([429, 429]);
  });

  it('at many accounts from one address is stopped after thirty in a minute; an IPv6 network is one address', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 31; n++)
      statuses.push((await login(`n${n}@example.test`, 'a password', from(`2001:db8:1:2::${n.toString(16)}`))).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    expect(statuses.at(-1)).toBe(429);
    expect((await login('n99@example.test', 'a password', from('2001:db8:1:3::1'))).status).toBe(401);
  });
});

describe('a storm of logins', () => {
  it('of five hundred at once gets 503 with Retry-After beyond what can be hashed; other requests are still served', async () => {
    const shop = await Workspace.create(app.client);
    const person = await Person.create(app);
    const tokens = await person.login(stranger());
    let unanswered = 500;
    const storm = Array.from({ length: unanswered }, (_, n) =>
      login(`storm${n}@example.test`, 'a password').finally(() => unanswered--),
    );
    const others = [
      async () => (await app.client.get('/tenants')).status,
      async () => (await shop.tryPublish({ type: 't', data: 1 })).status,
      async () => (await app.client.get(shop.events())).status,
      () => person.status(tokens),
      async () => (await anonymous.get('/health/ready')).status,
      async () => (await person.refresh(tokens)).status,
    ];
    const during: number[][] = [];
    for (const other of others) during.push([await other(), unanswered]);
    expect(during.map(([status]) => status)).toEqual([200, 201, 200, 200, 200, 200]);
    // Each got its response before the last one of the storm.
    expect(during.every(([, left]) => left! > 0)).toBe(true);
    const answers = await Promise.all(storm);
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]));
    for (const { body, headers } of busy)
      expect([body.code, Number(headers.get('retry-after'))]).toEqual(['login-busy', 2]);
    expect((await person.tryLogin(person.password, stranger())).status).toBe(200);
  });
});
