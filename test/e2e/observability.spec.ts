import { startProcess, type TestProcess } from '../support/server/app.js';
import type { Answer } from '../support/api/client.js';
import { connect } from '../support/server/postgres.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

type Line = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg: string; readonly time: string };

const CORRELATION = 'checkout-4711';
const RETRY = { strategy: 'fixed', initialDelayMs: 20, maxDelayMs: 20, jitter: 0, maxAttempts: 2 };

let server: TestProcess;
let shop: Workspace;
let good: WebhookReceiver;
let bad: WebhookReceiver;
let consumerOfGood: { id: string; secret: string };
let consumerOfBad: { id: string; secret: string };
let accessToken: string;
let lines: Line[];
let output: string;
let metrics: string;
let failure: Answer<Readonly<Record<string, unknown>>>;

/** One run of a server with everything that is logged; its log is checked below. */
beforeAll(async () => {
  server = await startProcess({ env: { LOG_LEVEL: 'debug' }, sourceMaps: true });
  shop = await Workspace.create(server.client);
  [good, bad] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
  bad.always({ status: 500, body: 'out of order' });
  const headers = { authorization: 'Bearer tell-nobody' };
  consumerOfGood = await shop.register(good.url, { correlationId: 'good-consumer', headers });
  consumerOfBad = await shop.register(bad.url, { correlationId: 'bad-consumer', retry: RETRY });
  await shop.publish({ id: 'e1', type: 'order.created', data: { card: '4111-1111' } }, 'orders', {
    'x-correlation-id': CORRELATION,
  });
  await good.received(1);
  await until(
    () => shop.topicStatus(consumerOfBad.id),
    ({ state }) => state === 'blocked',
  );
  const anonymous = server.client.with({});
  const login = await anonymous.post<{ accessToken: string }>('/auth/login', {
    email: server.adminEmail,
    password: server.adminPassword,
  });
  ({ accessToken } = login.body);
  await anonymous.post('/auth/login', { email: server.adminEmail, password: 'a wrong password' });
  await anonymous.get('/tenants', { 'x-api-key': 'not-a-key-but-secret' });
  await server.client.post('/tenants', '{"broken":');
  const consumer = shop.consumer(consumerOfGood.id);
  for (const step of ['pause', 'pause', 'resume']) await server.client.post(`${consumer}/${step}`);
  metrics = (await server.client.get('/metrics')).text;
  failure = await provokeFailure();
  await server.stop();
  output = server.output();
  lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  await Promise.all([good.stop(), bad.stop()]);
});

/** An unexpected error: a table is missing. */
async function provokeFailure(): Promise<typeof failure> {
  const database = await connect(server.connection);
  await database.query('ALTER TABLE consumer RENAME TO consumer_away');
  await database.end();
  return server.client.get(`${shop.base}/consumers`, { 'x-correlation-id': 'table-away' });
}

const having = (fields: object): Line[] =>
  lines.filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value));

describe('the log', () => {
  it('is JSON, one entry on each line, with time, level and message', () => {
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      expect(line).toMatchObject({
        level: expect.any(Number),
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        msg: expect.any(String),
      });
    }
  });

  it('has an entry for a published event with correlation id, tenant, topic and event ids', () => {
    const told = having({ level: 30, correlationId: CORRELATION, tenant: shop.tenant, topic: 'orders' });
    expect(told.some(({ eventIds }) => JSON.stringify(eventIds) === '["e1"]')).toBe(true);
  });

  it('has entries for a registered, paused and resumed consumer by its full name, but not for calls without effect', () => {
    const told = having({ level: 30, tenant: shop.tenant, namespace: 'shop', consumer: consumerOfGood.id });
    expect(told.map(({ msg }) => msg)).toEqual(['consumer registered', 'consumer paused', 'consumer resumed']);
    for (const { correlationId } of told) expect(correlationId).toMatch(/^[\da-f-]{36}$/);
    expect(told[0]!['consumerCorrelationId']).toBe('good-consumer');
  });

  it('has an entry for each delivery at debug, with the correlation id of the consumer', () => {
    expect(
      having({
        level: 20,
        consumer: consumerOfGood.id,
        topic: 'orders',
        tenant: shop.tenant,
        correlationId: 'good-consumer',
      }),
    ).toHaveLength(1);
  });

  it('has an entry for each failed attempt at warn, with its number and reason', () => {
    const failures = having({
      consumer: consumerOfBad.id,
      topic: 'orders',
      tenant: shop.tenant,
      correlationId: 'bad-consumer',
    });
    const warnings = failures.filter(({ level, attempt }) => level === 40 && attempt !== undefined);
    expect(warnings.map(({ attempt }) => attempt)).toEqual(expect.arrayContaining([1, 2]));
    for (const warning of warnings) expect(JSON.stringify(warning)).toContain('500');
  });

  it('has one entry for a blocked lane, with its name and reason', () => {
    const told = having({ level: 40, consumer: consumerOfBad.id, topic: 'orders', msg: 'a lane is blocked' });
    const why = { status: 500, reason: 'the endpoint answered 500' };
    expect(told).toMatchObject([{ position: 1, attempt: 2, ...why, correlationId: 'bad-consumer' }]);
    expect(told).toHaveLength(1);
  });

  it('has an entry for an error with its stack and the correlation id of the request, whose response hides it', () => {
    const [line] = having({ level: 50, correlationId: 'table-away', msg: 'request failed' });
    expect(line!['err']).toMatchObject({
      message: expect.stringContaining('relation "consumer" does not exist'),
      stack: expect.stringMatching(/\n {4}at .*postgres-consumers\.ts/),
    });
    expect(failure.status).toBe(500);
    expect(failure.headers.get('content-type')).toContain('application/problem+json');
    expect(failure.body).toEqual({
      type: expect.any(String),
      title: expect.any(String),
      status: 500,
      code: 'internal-error',
      instance: `${shop.base}/consumers`,
      correlationId: 'table-away',
    });
  });

  it('contains no secret: no key, password, token, signing secret, header of a consumer, data of an event', () => {
    const secrets = {
      apiKey: server.apiKey,
      password: server.adminPassword,
      wrongPassword: 'a wrong password',
      wrongKey: 'not-a-key-but-secret',
      accessToken,
      signing: consumerOfGood.secret,
      signingBare: consumerOfBad.secret.slice('whsec_'.length),
      header: 'tell-nobody',
      data: '4111-1111',
      database: String(server.connection.password ?? 'no password at all'),
    };
    expect(
      Object.entries(secrets)
        .filter(([, secret]) => output.includes(secret))
        .map(([name]) => name),
    ).toEqual([]);
  });
});

describe('/metrics', () => {
  const value = (series: string): number =>
    Number(
      metrics
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1],
    );

  it.each([
    ['published', 'event_store_events_published_total', 1],
    ['delivered', 'event_store_delivery_attempts_total{outcome="delivered"}', 1],
    ['failed', 'event_store_delivery_attempts_total{outcome="failed"}', 2],
    ['append latency', 'event_store_append_duration_seconds_count', 1],
  ])('counts events that were %s', (_, name, atLeast) => {
    expect(value(name)).toBeGreaterThanOrEqual(atLeast);
  });

  it.each([
    ['lag', 'event_store_delivery_lag_events'],
    ['lag by consumer', 'event_store_consumer_lag_events'],
    ['deliveries in flight', 'event_store_delivery_in_flight'],
    ['queue depth', 'event_store_append_queue_events'],
  ])('shows %s', (_, name) => {
    expect(metrics).toContain(`# TYPE ${name} gauge`);
  });

  it('shows for every background loop the time since its last success, and the number of failures', () => {
    for (const loop of ['jobs', 'event-removal', 'delivery-heartbeat', 'tails', 'identity:key-revocation']) {
      expect(value(`event_store_loop_last_success_age_seconds{loop="${loop}"}`)).toBeLessThan(60);
      expect(value(`event_store_loop_failures_total{loop="${loop}"}`)).toBe(0);
    }
  });

  it('has no secret', () => {
    for (const hidden of [server.apiKey, consumerOfGood.secret, server.adminPassword, 'tell-nobody'])
      expect(metrics).not.toContain(hidden);
  });
});

describe('probes', () => {
  it('respond without credentials, and show only the state', async () => {
    const own = await startProcess();
    const anonymous = own.client.with({});
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await anonymous.get(path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.text).not.toMatch(/postgres|password|127\.0\.0\.1/i);
    }
    await own.stop();
  });
});
