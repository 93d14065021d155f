import { Keys } from '../support/api/api-keys.js';
import { startApp, type TestApp } from '../support/server/app.js';
import { environmentWith, from, Person, stranger } from '../support/api/people.js';
import { MailServer } from '../support/api/mail-server.js';
import { newPerson } from '../support/api/strangers.js';
import { until, type Page } from '../support/api/workspace.js';

interface Item {
  readonly action: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly user: string | null;
  readonly address: string | null;
  readonly resource: string;
  readonly times: number;
}

let mail: MailServer;
let app: TestApp;

beforeAll(async () => {
  mail = await MailServer.start();
  app = await startApp({ env: environmentWith(mail) });
});
afterAll(async () => {
  await app?.stop();
  await mail?.stop();
});

const recorded = (query: string, count = 1): Promise<readonly Item[]> =>
  until(
    async () => (await app.client.get<Page<Item>>(`/audit?${query}`)).body.items,
    (items) => items.length >= count,
  );
const once = (): Record<string, string> => ({ 'x-correlation-id': crypto.randomUUID() });

describe('the audit of logins', () => {
  it('records who has logged in, and from where', async () => {
    const person = await Person.create(app);
    const request = { ...stranger(), ...once() };
    await person.login(request);
    const [item] = await recorded(`correlationId=${request['x-correlation-id']}`);
    expect(item).toMatchObject({
      action: 'auth.login',
      outcome: 'success',
      user: person.user.id,
      address: request['x-forwarded-for'],
      resource: `users/${person.user.id}`,
    });
  });

  it('records the account of a wrong password', async () => {
    const person = await Person.create(app);
    const request = { ...stranger(), ...once() };
    await person.tryLogin('not the password at all', request);
    expect(await recorded(`correlationId=${request['x-correlation-id']}`)).toMatchObject([
      { action: 'auth.login-failed', outcome: 'failed', reason: 'wrong-password', user: person.user.id },
    ]);
  });

  it('records the attempt of a suspended user', async () => {
    const person = await Person.create(app);
    await app.client.post(`/users/${person.user.id}/suspend`, {});
    const request = { ...stranger(), ...once() };
    await person.tryLogin(person.password, request);
    expect(await recorded(`correlationId=${request['x-correlation-id']}`)).toMatchObject([
      { action: 'auth.login-failed', reason: 'suspended', user: person.user.id },
    ]);
  });

  it('does not store the e-mail of an unknown account: it may be a password', async () => {
    const typed = 'my-secret-password@example.test';
    const request = { ...stranger(), ...once() };
    await app.client.with({}).post('/auth/login', { email: typed, password: 'whatever it is' }, request);
    const items = await recorded(`correlationId=${request['x-correlation-id']}`);
    expect(items).toMatchObject([
      { action: 'auth.login-failed', reason: 'unknown-account', user: null, resource: 'users' },
    ]);
    expect(JSON.stringify(items)).not.toContain('secret-password');
  });

  it('records guesses that were refused without a check', async () => {
    const person = await Person.create(app);
    const place = stranger();
    await until(
      () => person.tryLogin('wrong again and again', place),
      ({ status }) => status === 429,
    );
    // Ten were checked before.
    const items = await recorded(`action=auth.login-failed&address=${place['x-forwarded-for']}`, 11);
    expect(items.map(({ reason }) => reason)).toContain('throttled');
  });
});

describe('the audit of credentials', () => {
  const refused = async (headers: Record<string, string>, path = '/auth/me') => {
    const request = { ...stranger(), ...once() };
    expect((await app.client.with(headers).get(path, request)).status).toBe(401);
    return recorded(`correlationId=${request['x-correlation-id']}`);
  };

  it('records a revoked key, one with a wrong secret, and text that is not a key', async () => {
    const { client } = await newPerson(app);
    const keys = new Keys(client);
    const [revoked, known] = [await keys.create(), await keys.create()];
    await client.delete(`/users/me/api-keys/${revoked.id}`);
    expect(await refused({ 'x-api-key': revoked.key })).toMatchObject([
      { action: 'auth.refused', outcome: 'denied', reason: 'key-unknown', resource: 'system' },
    ]);
    expect(await refused({ 'x-api-key': `${known.key}x` })).toMatchObject([{ reason: 'key-malformed' }]);
    const bound = await keys.create({ allowedCidrs: ['192.0.2.0/24'] });
    expect(await refused({ 'x-api-key': bound.key })).toMatchObject([
      { reason: 'key-address', resource: `api-keys/${bound.id}` },
    ]);
  });

  it('records an invalid token', async () => {
    expect(await refused({ authorization: 'Bearer nonsense' })).toMatchObject([
      { action: 'auth.refused', reason: 'not-valid' },
    ]);
  });

  it('records a refused publish, too, although no body was read', async () => {
    const request = { ...stranger(), ...once() };
    const path = '/tenants/t/namespaces/n/topics/t/events';
    await app.client.with({ 'x-api-key': 'es_no_key' }).post(path, { type: 't', data: 1 }, request);
    expect(await recorded(`correlationId=${request['x-correlation-id']}`)).toMatchObject([
      { action: 'auth.refused', reason: 'key-malformed' },
    ]);
  });

  it('does not record requests without credentials', async () => {
    const place = from('198.51.250.1');
    await app.client.with({}).get('/auth/me', place);
    await app.client.with({ 'x-api-key': 'es_no_key' }).get('/auth/me', place);
    expect(await recorded('address=198.51.250.1')).toHaveLength(1);
  });
});
