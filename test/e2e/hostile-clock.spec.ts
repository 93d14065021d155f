import { inMs, Keys } from '../support/api/api-keys.js';
import { startProcess, type TestProcess } from '../support/server/app.js';
import { MailServer } from '../support/api/mail-server.js';
import { bearer, environmentWith, from, newPassword, Person, stranger } from '../support/api/people.js';
import { member } from '../support/api/strangers.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

const HOUR_MS = 3_600_000;
/** Longer than a request takes, and far less than the hour by which the clock is set back. */
const SOON_SECONDS = 5;
const TTL = { ACCESS_TOKEN_TTL_SECONDS: '600', REFRESH_TOKEN_TTL_SECONDS: '3600', SESSION_TTL_SECONDS: '3600' };

let server: TestProcess;
let mail: MailServer;
let shop: Workspace;
let receiver: WebhookReceiver;
let clockShiftMs = 0;

beforeAll(async () => {
  [mail, receiver] = await Promise.all([MailServer.start(), WebhookReceiver.start()]);
  server = await startProcess({ env: { ...environmentWith(mail), ...TTL } });
});
afterAll(async () => {
  await Promise.all([server?.stop(), mail?.stop(), receiver?.stop()]);
});
beforeEach(async () => {
  shop = await Workspace.create(server.client);
});

/** Each test sets it back again: the clock of the server falls further and further behind. */
function setClock(byMs: number): Promise<void> {
  clockShiftMs += byMs;
  return server.surround({ clockShiftMs });
}

describe('a system clock that is set back by an hour', () => {
  it('ends no valid session: logged-in users continue, and can log in again', async () => {
    const person = await Person.create(server);
    const before = await person.login();
    await setClock(-HOUR_MS);
    expect(await person.status(before)).toBe(200);
    const after = await person.login(stranger());
    expect([await person.status(after), (await person.refresh(before)).status]).toEqual([200, 200]);
    const { expiresAt } = await new Keys(person.anonymous.with(bearer(after.accessToken))).create();
    expect(Date.parse(expiresAt!)).toBeGreaterThan(Date.now() + 89 * 24 * HOUR_MS);
  });

  it('turns no wait of a second into one of an hour: logins', async () => {
    const person = await Person.create(server);
    const place = stranger();
    const wrong = newPassword();
    while ((await person.tryLogin(wrong, place)).status !== 429);
    await setClock(-HOUR_MS);
    const refused = await person.tryLogin(wrong, place);
    expect([429, 401]).toContain(refused.status);
    expect(Number(refused.headers.get('retry-after') ?? 0)).toBeLessThanOrEqual(SOON_SECONDS);
    const answer = await until(
      () => person.tryLogin(person.password, place),
      ({ status }) => status !== 429,
    );
    expect(answer.status).toBe(200);
  });

  it('turns no wait of a second into one of an hour: publishing, and lets no one exceed a rate', async () => {
    const limit = 5;
    await server.client.patch(`/tenants/${shop.tenant}`, { limits: { eventsPerSecond: limit } });
    const publish = () => shop.tryPublish({ type: 't', data: 1 });
    const burst = () => Promise.all(Array.from({ length: 50 }, publish));
    expect((await burst()).some(({ status }) => status === 429)).toBe(true);
    await setClock(-HOUR_MS);
    const begin = performance.now();
    const answers = await burst();
    const seconds = (performance.now() - begin) / 1_000;
    const stored = answers.filter(({ status }) => status === 201).length;
    expect(stored).toBeLessThanOrEqual(Math.ceil(limit * (1 + seconds)));
    const waits = answers.map(({ headers }) => Number(headers.get('retry-after') ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(SOON_SECONDS);
    await until(publish, ({ status }) => status === 201);
  });

  it('delays no delivery, signs it for the real time, and keeps times in order', async () => {
    receiver.next({ status: 503 }, { status: 503 });
    const { id } = await shop.register(receiver.url, {
      retry: { strategy: 'fixed', initialDelayMs: 400, maxDelayMs: 400, jitter: 0 },
    });
    await shop.publishMany(1, 'before');
    await receiver.received(1);
    await setClock(-HOUR_MS);
    await shop.publishMany(2, 'after');
    expect((await receiver.received(5)).map(({ headers }) => headers['x-event-id'])).toEqual([
      'before1',
      'before1',
      'before1',
      'after1',
      'after2',
    ]);
    await server.client.post(`${shop.consumer(id)}/test`);
    // Receivers refuse timestamps that are more than five minutes off, and their clocks are right.
    const signedAt = receiver.requests.slice(2).map(({ headers }) => Number(headers['webhook-timestamp']) * 1_000);
    for (const at of signedAt) expect(Math.abs(Date.now() + clockShiftMs - at)).toBeLessThan(60_000);
    await shop.createTopic('younger');
    await shop.publishMany(1, 'young', 'younger');
    const newest = async (topic: string): Promise<number> =>
      Date.parse((await shop.read('?order=desc&limit=1', topic)).items[0]!.recordedAt);
    expect(await newest('younger')).toBeGreaterThanOrEqual(await newest('orders'));
  });

  /** Credentials and rights that end within the hour, and the status of a request with each. */
  async function credentials(): Promise<Record<string, () => Promise<number>>> {
    const keys = new Keys(server.client);
    const [ending, rotated] = [await keys.create({ expiresAt: inMs(HOUR_MS / 2) }), await keys.create()];
    await keys.rotate(rotated, { gracePeriodSeconds: 1_200 });
    const person = await Person.create(server);
    const tokens = await person.login();
    await person.anonymous.post('/auth/password/reset-request', { email: person.email }, stranger());
    const token = /epr_[\w-]{43}/.exec((await mail.received(1)).at(-1)!.text)![0];
    const reset = (chosen: string) => person.anonymous.post('/auth/password/reset', { token, newPassword: chosen });
    const granted = await member(server, shop.tenant);
    const grant = await server.client.post(`/tenants/${shop.tenant}/permissions`, {
      principal: { user: granted.userId },
      effect: 'allow',
      actions: ['event:publish'],
      resource: `tenants/${shop.tenant}/**`,
      constraints: { validUntil: inMs(HOUR_MS / 2) },
    });
    expect(grant.status).toBe(201);
    return {
      'a key': () => keys.trying(ending.key),
      'the key before a rotation': () => keys.trying(rotated.key),
      'an access token': () => person.status(tokens),
      'a session': () => person.refresh(tokens).then(({ status }) => status),
      // An invalid password: while the token is valid it is checked, and the token can be used again.
      'a token to reset a password': () => reset('short').then(({ body }) => (body.errors ? 200 : 401)),
      'a grant': () => granted.client.post(shop.events(), { type: 't', data: 1 }).then(({ status }) => status),
    };
  }

  it('revives nothing that has expired: key, overlap, token, session, reset, grant', async () => {
    const all = Object.entries(await credentials());
    const statuses = async (): Promise<Record<string, number>> => {
      const found: Record<string, number> = {};
      for (const [name, status] of all) found[name] = await status();
      return found;
    };
    const works = (status: number): boolean => status < 300;
    expect(Object.values(await statuses()).map(works)).toEqual(all.map(() => true));
    await setClock(HOUR_MS - clockShiftMs + 1_000);
    const over = await statuses();
    expect(Object.values(over).map(works)).toEqual(all.map(() => false));
    await setClock(-HOUR_MS);
    expect(await statuses()).toEqual(over);
    const { text } = await server.client.get('/metrics', from('127.0.0.1'));
    expect(text).toMatch(/^event_store_clock_set_back_seconds 3600$/m);
  });
});
