import { randomBytes } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { startApp, startProcess, type TestApp } from '../support/server/app.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { MailServer, type ReceivedMail } from '../support/api/mail-server.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { bearer, environmentWith, newPassword, Person, type Tokens, type User } from '../support/api/people.js';
import { createTestDatabase } from '../support/server/postgres.js';
import { member } from '../support/api/strangers.js';
import { until, Workspace, type Page } from '../support/api/workspace.js';

interface Member {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly version: number;
}

let app: TestApp;
let mail: MailServer;
let shop: Workspace;
let admin: Client;

beforeAll(async () => {
  mail = await MailServer.start();
  app = await startApp({ env: environmentWith(mail) });
});
afterAll(async () => {
  await app?.stop();
  await mail?.stop();
});
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  admin = (await member(app, shop.tenant, 'admin')).client;
});

let made = 0;
const newEmail = (): string => `i${++made}.${randomBytes(4).toString('hex')}@example.test`;
const invite = (email: unknown, roles?: unknown, by = admin): Promise<Answer<Member & Problem>> =>
  by.post(`/tenants/${shop.tenant}/members`, { email, ...(roles === undefined ? {} : { roles }) });
const accounts = async (email: string, { client }: Pick<TestApp, 'client'> = app): Promise<readonly User[]> =>
  (await client.get<Page<User>>(`/users?email=${encodeURIComponent(email)}`)).body.items;
/** All mails to an address, once there are that many. */
const mailsTo = (email: string, count: number): Promise<ReceivedMail[]> =>
  until(
    () => Promise.resolve(mail.mails.filter(({ to }) => to.includes(email))),
    (found) => found.length >= count,
  );
const tokenIn = ({ text }: ReceivedMail): string | undefined => /epr_[\w-]{43}/.exec(text)?.[0];

/** The representation of a user, without random values, counters and times. */
const anonymised = (said: object, userId: string): string =>
  JSON.stringify(said, (name, value: unknown) =>
    ['id', 'time', 'seq', 'hash', 'correlationId', 'createdAt', 'updatedAt'].includes(name) ? '' : value,
  ).replaceAll(userId, 'usr_…');

/** Chooses a password with the token, and logs in. */
async function enter(email: string, token: string): Promise<Client> {
  const anonymous = app.client.with({});
  const password = newPassword();
  expect((await anonymous.post('/auth/password/reset', { token, newPassword: password })).status).toBe(204);
  const { body } = await anonymous.post<Tokens>('/auth/login', { email, password });
  return anonymous.with(bearer(body.accessToken));
}

const MOVING = new Set(['x-consistency-token', 'ratelimit']);

describe('an invitation', () => {
  it('of a person without an account creates one, with the roles, and mails how to log in', async () => {
    const email = newEmail();
    const answer = await invite(email, ['developer', 'developer']);
    expect([answer.status, answer.body.roles]).toEqual([201, ['developer']]);
    expect(answer.headers.get('location')).toBe(`/tenants/${shop.tenant}/members/${answer.body.userId}`);
    expect(await accounts(email)).toMatchObject([{ id: answer.body.userId, state: 'invited' }]);
    const [letter] = await mailsTo(email, 1);
    expect(letter!.text).toContain(`invited to the tenant "${shop.tenant}"`);
    const client = await enter(email, tokenIn(letter!)!);
    expect((await client.post(shop.events(), { type: 't', data: 1 })).status).toBe(201);
    expect((await client.get(`/tenants/${shop.tenant}/members`)).status).toBe(403);
  });

  it('of a user with an account makes them a member, and notifies them without a token', async () => {
    const person = await Person.create(app);
    const answer = await invite(person.email.toUpperCase(), ['viewer']);
    expect([answer.status, answer.body.userId, answer.body.roles]).toEqual([201, person.user.id, ['viewer']]);
    const [letter] = await mailsTo(person.email, 1);
    expect(letter!.text).toContain(`invited to the tenant "${shop.tenant}"`);
    expect(tokenIn(letter!)).toBeUndefined();
    const client = person.anonymous.with(bearer((await person.login()).accessToken));
    expect((await client.get(shop.events())).status).toBe(200);
  });

  it('gets the same response for a known and an unknown e-mail, also if it is refused', async () => {
    const person = await Person.create(app);
    /** The response with everything that may differ replaced, and numbers that change by themselves as N. */
    const shape = ({ status, headers, body }: Answer<Member & Problem>, known: string): unknown => {
      const text = JSON.stringify({ ...body, createdAt: '', updatedAt: '', correlationId: '' });
      const own = [...headers]
        .filter(([name]) => !['date', 'x-correlation-id'].includes(name))
        .map(([name, value]) => [name, MOVING.has(name) ? value.replace(/\d+/g, 'N') : value]);
      return [status, own, text].map((part) => JSON.stringify(part).replaceAll(known, 'usr_…'));
    };
    const unknown = await invite(newEmail(), ['viewer']);
    const known = await invite(person.email, ['viewer']);
    expect(shape(known, known.body.userId)).toEqual(shape(unknown, unknown.body.userId));
    expect(unknown.headers.get('x-consistency-token')).toMatch(/^permissions\.\d+$/);
    const other = await Person.create(app);
    for (const roles of [['owner'], ['none'], Array.from({ length: 21 }, (_, n) => `r${n}`), null]) {
      const refused = [await invite(newEmail(), roles), await invite(other.email, roles)];
      expect(refused[0]!.status).toBeGreaterThanOrEqual(400);
      expect(shape(refused[1]!, 'usr_')).toEqual(shape(refused[0]!, 'usr_'));
    }
  });

  it('results in members that nothing distinguishes, whether there was an account or not', async () => {
    const person = await Person.create(app, { name: 'A. Known' });
    const ids = [await invite(newEmail(), ['viewer']), await invite(person.email, ['viewer'])].map(
      ({ body }) => body.userId,
    );
    for (const path of ['members', 'audit?limit=1000']) {
      const { body } = await admin.get<Page<object>>(`/tenants/${shop.tenant}/${path}`);
      const said = ids.map((id) =>
        body.items.filter((item) => JSON.stringify(item).includes(id)).map((item) => anonymised(item, id)),
      );
      expect([path, said[0]!.length > 0, said[0]]).toEqual([path, true, said[1]]);
    }
    const shown = await Promise.all(ids.map((id) => admin.get<Member>(`/tenants/${shop.tenant}/members/${id}`)));
    expect(shown.map(({ headers, body }, i) => [headers.get('etag'), anonymised(body, ids[i]!)])).toEqual(
      ids.map(() => [shown[0]!.headers.get('etag'), anonymised(shown[0]!.body, ids[0]!)]),
    );
    expect(shown.map(({ text }) => /known|@/i.test(text))).toEqual([false, false]);
  });

  it('cannot give a role that exceeds the rights of the caller, and then leaves no account and no mail', async () => {
    const email = newEmail();
    const refused = await invite(email, ['viewer', 'owner']);
    expect([refused.status, refused.body.code]).toEqual([403, 'exceeds-own-permissions']);
    expect((await invite(email, ['none'])).body.code).toBe('role-not-found');
    const developer = (await member(app, shop.tenant, 'developer')).client;
    expect((await invite(email, ['viewer'], developer)).body.code).toBe('permission-denied');
    expect(await accounts(email)).toEqual([]);
    const witness = newEmail();
    await invite(witness);
    await mailsTo(witness, 1);
    expect(await mailsTo(email, 0)).toEqual([]);
  });

  it('of a member adds roles, removes none, and mails again, with a new token while there is no password', async () => {
    const email = newEmail();
    const [first, second] = [await invite(email, ['viewer']), await invite(email, ['publisher'])];
    expect([first.status, second.status, second.body.userId]).toEqual([201, 200, first.body.userId]);
    expect(second.body.roles.toSorted()).toEqual(['publisher', 'viewer']);
    const tokens = (await mailsTo(email, 2)).map(tokenIn);
    expect(new Set(tokens).size).toBe(2);
    const again = await invite(app.adminEmail, ['viewer']);
    expect([again.status, again.body.roles]).toEqual([200, ['owner', 'viewer']]);
  });

  it('of one e-mail twenty times at once creates one account and one membership', async () => {
    const email = newEmail();
    const shops = await Promise.all(Array.from({ length: 10 }, () => Workspace.create(app.client)));
    const answers = await Promise.all(
      [...shops, ...shops].map(({ tenant }) =>
        app.client.post<Member>(`/tenants/${tenant}/members`, { email, roles: ['viewer'] }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 201 && status !== 200)).toEqual([]);
    expect(new Set(answers.map(({ body }) => body.userId)).size).toBe(1);
    expect(await accounts(email)).toHaveLength(1);
  });

  it.each([['nobody'], ['a@b@c'], ['a b@example.test'], [''], [undefined], [null], ['x@example.test, y@example.test']])(
    'of %j is refused: it is not an e-mail',
    async (email) => {
      const { status, body } = await invite(email, ['viewer']);
      expect([status, [...new Set(body.errors?.map(({ pointer }) => pointer))]]).toEqual([400, ['/email']]);
    },
  );

  it('is limited to three an hour for one e-mail, whether there is an account or not', async () => {
    const person = await Person.create(app);
    for (const email of [newEmail(), person.email]) {
      for (const status of [201, 200, 200]) expect((await invite(email, ['viewer'])).status).toBe(status);
      const refused = await invite(email, ['viewer']);
      expect([refused.status, refused.body.code]).toEqual([429, 'invitation-throttled']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
    }
  });
});

it('an invitation interrupted by a crash between account and membership can be repeated', async () => {
  const store = await createTestDatabase();
  const env = environmentWith(mail);
  const first = await startProcess({ connection: store.connection, env });
  const { tenant } = await Workspace.create(first.client);
  const email = newEmail();
  const path = `/tenants/${tenant}/members`;
  const obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM tenant WHERE tenant_id = $1', [tenant]);
  const asked = first.client.post(path, { email, roles: ['viewer'] }).catch(() => undefined);
  await until(() => obstacle.isWaitedFor(), Boolean);
  await first.kill();
  await asked;
  await obstacle.remove();
  const second = await startProcess({ connection: store.connection, env, apiKey: first.apiKey });
  const [account] = await accounts(email, second);
  expect(account).toMatchObject({ state: 'invited' });
  expect((await second.client.get(`${path}/${account!.id}`)).status).toBe(404);
  const { status, body } = await second.client.post<Member>(path, { email, roles: ['viewer'] });
  expect([status, body.userId, body.roles]).toEqual([201, account!.id, ['viewer']]);
  expect(tokenIn((await mailsTo(email, 1))[0]!)).toBeDefined();
  await second.stop();
  await store.drop();
});

it('no membership remains that was created during the deletion of its user', async () => {
  for (let round = 0; round < 5; round++) {
    const { user } = await Person.create(app);
    const join = (): Promise<Answer<Problem>> =>
      app.client.request('PUT', `/tenants/${shop.tenant}/members/${user.id}`, { roles: ['viewer'] });
    const [deleted, ...joined] = await Promise.all([app.client.delete(`/users/${user.id}`), join(), join()]);
    expect(deleted.status).toBe(204);
    for (const { status } of joined) expect([200, 404]).toContain(status);
    const { body } = await app.client.get<Page<Member>>(`/tenants/${shop.tenant}/members`);
    expect(body.items.map(({ userId }) => userId)).not.toContain(user.id);
  }
});

describe('an e-mail whose domain is written in several ways', () => {
  const host = (): string => `bücher-${++made}-${randomBytes(4).toString('hex')}.example`;
  const ways = (domain: string): string[] =>
    [domain, `${domain}.`, domain.toUpperCase(), domain.normalize('NFD'), domainToASCII(domain)].map(
      (written) => `jane@${written}`,
    );
  const create = async (email: string): Promise<unknown> =>
    (await app.client.post<Problem>('/users', { email, password: newPassword() })).body.code;
  const login = async (email: string, password: string): Promise<number> =>
    (await app.client.with({}).post('/auth/login', { email, password })).status;

  it('belongs to one account: for invitations, lists, mails, resets and logins', async () => {
    const all = ways(host());
    const normal = all.at(-1)!;
    const { userId } = (await invite(all[0])).body;
    for (const email of all) {
      expect(await accounts(email)).toMatchObject([{ id: userId, email: normal }]);
      expect([email, await create(email)]).toEqual([email, 'email-taken']);
    }
    expect((await invite(all[2])).body.userId).toBe(userId);
    expect(await mailsTo(normal, 2)).toHaveLength(2);
    await app.client.with({}).post('/auth/password/reset-request', { email: `  ${all[3]}` });
    const token = tokenIn((await mailsTo(normal, 3)).at(-1)!);
    const password = newPassword();
    await app.client.with({}).post('/auth/password/reset', { token, newPassword: password });
    for (const email of [...all, ` ${all[0]} `]) expect([email, await login(email, password)]).toEqual([email, 200]);
    const other = await Person.create(app);
    const moved = await app.client.patch<Problem>(`/users/${other.user.id}`, { email: all[1] });
    expect(moved.body.code).toBe('email-taken');
  });
});
