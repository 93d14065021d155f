import { startProcess, type TestProcess } from '../support/server/app.js';
import type { RequestHeaders } from '../support/api/client.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { Workspace } from '../support/api/workspace.js';

const FAKE = 'somebody made this up';
const ESCAPE = '\u001b[31m';
const FAKE_LINE = `{"level":60,"time":"2026-01-01T00:00:00.000Z","msg":"${FAKE}"}`;
/** Closes the string and the object around it, and starts a new line. */
const BREAKOUT = `x","level":60,"msg":"${FAKE}"}\n${FAKE_LINE}\n{"a":"`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;
let correlationIds: (string | null)[];
let lines: string[];

/** Everything that strangers and members can write and that may reach a log; the log is checked below. */
beforeAll(async () => {
  [server, receiver] = await Promise.all([startProcess({ env: { LOG_LEVEL: 'trace' } }), WebhookReceiver.start()]);
  shop = await Workspace.create(server.client);
  await writeAsStranger();
  correlationIds = await writeCorrelationIds();
  await writeAsMember();
  await server.stop();
  await receiver.stop();
  lines = server.output().split('\n').slice(0, -1);
}, 60_000);
afterAll(() => Promise.all([server?.kill(), receiver?.stop()]));

const raw = (head: string): Promise<unknown> => sendRaw(server.url, `${head}\r\nConnection: close\r\n\r\n`);

async function writeAsStranger(): Promise<void> {
  const coded = encodeURIComponent(BREAKOUT + ESCAPE);
  const anonymous = server.client.with({});
  for (const path of [`/${coded}`, `/tenants/${coded}`, `/tenants?x=${coded}`, `/health/live?${coded}`])
    for (const client of [anonymous, server.client]) await client.get(path);
  for (const header of [
    'User-Agent',
    'Referer',
    'X-Forwarded-For',
    'Forwarded',
    'traceparent',
    'X-API-Key',
    'Authorization',
  ])
    for (const value of [
      FAKE_LINE,
      `a\r\n ${FAKE_LINE}`,
      `a\rb${FAKE_LINE}`,
      `a\n${FAKE_LINE}`,
      `${ESCAPE}a`,
      'x'.repeat(15_000),
    ])
      await raw(`GET /tenants HTTP/1.1\r\nHost: x\r\n${header}: ${value}`);
  await raw(`GET /tenants HTTP/1.1\r\nHost: ${FAKE_LINE}`);
  await raw(`${FAKE_LINE}\r\nGET /tenants HTTP/1.1\r\nHost: x`);
  for (const email of [BREAKOUT, `${BREAKOUT}@example.test`, `${ESCAPE}@example.test`])
    await anonymous.post('/auth/login', { email, password: BREAKOUT });
  await anonymous.post('/auth/refresh', { refreshToken: BREAKOUT });
  await anonymous.post('/auth/password/reset-request', { email: BREAKOUT });
}

/** Returns the correlation id of each response. */
async function writeCorrelationIds(): Promise<(string | null)[]> {
  const told: (string | null)[] = [];
  for (const id of [`a b`, ESCAPE, 'x'.repeat(129), 'x'.repeat(10_000), FAKE_LINE, 'ä', '']) {
    const header = Buffer.from(id, 'utf8').toString('latin1');
    const { text } = (await sendRaw(
      server.url,
      `GET /tenants HTTP/1.1\r\nHost: x\r\nX-API-Key: ${server.apiKey}\r\nX-Correlation-ID: ${header}\r\nConnection: close\r\n\r\n`,
    )) as { text: string };
    told.push(/^x-correlation-id: (.*)\r$/im.exec(text)?.[1] ?? null);
  }
  const long = `GET /tenants HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: ${'x'.repeat(100_000)}\r\n\r\n`;
  expect((await sendRaw(server.url, long)).status).toBe(431);
  return told;
}

/** Valid values in their worst form. */
async function writeAsMember(): Promise<void> {
  const visible = `x","level":60,"msg":"made-up","y":"`;
  const headers: RequestHeaders = { 'x-correlation-id': visible, 'user-agent': visible, 'idempotency-key': visible };
  const odd = `${visible} \u202e${BREAKOUT.replaceAll('\n', ' ')}`;
  await shop.publish(
    { type: visible, key: odd, stream: odd, correlationId: visible, data: BREAKOUT },
    'orders',
    headers,
  );
  for (const id of [visible, odd, ESCAPE]) await shop.tryPublish({ id, type: 't', data: 1 }, headers);
  const consumer = await shop.register(receiver.url, {
    name: visible,
    correlationId: visible,
    topics: [{ topic: 'orders', startFrom: 'beginning' }],
    headers: { 'x-mine': visible },
  });
  receiver.next({ status: 503, headers: { 'retry-after': visible, 'x-odd': visible }, body: BREAKOUT });
  await receiver.received(2);
  await server.client.post(`${shop.consumer(consumer.id)}/pause`, { reason: odd }, headers);
  const tenant = `/tenants/${shop.tenant}`;
  await server.client.patch(tenant, { name: BREAKOUT });
  await server.client.post('/users', { email: 'a@example.test', name: BREAKOUT, password: BREAKOUT });
  await server.client.post(`${tenant}/suspend`, { reason: BREAKOUT }, headers);
  await server.client.post(`${tenant}/activate`, {}, headers);
}

describe('the log', () => {
  it('stays one JSON object on each line, for any input: nothing is forged, no field is repeated', () => {
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.some((line) => line.includes('made-up'))).toBe(true);
    const found = lines.filter((line) => {
      const entry = JSON.parse(line) as { level: number; msg: string };
      // A smuggled field would appear twice, and only once after parsing.
      return JSON.stringify(entry) !== line || entry.level > 40 || /made.up/.test(entry.msg);
    });
    expect(found).toEqual([]);
  });

  it('contains no character that moves the cursor of a terminal', () => {
    // oxlint-disable-next-line no-control-regex
    expect(lines.filter((line) => /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(line))).toEqual([]);
  });

  it('contains no line of a length that a stranger can choose', () => {
    expect(lines.filter((line) => line.length > 4_000).map((line) => line.slice(0, 200))).toEqual([]);
  });

  it('replaces a malformed or long correlation id by another one', () => {
    expect(correlationIds).toHaveLength(7);
    expect(correlationIds.filter((id) => id !== null && !UUID.test(id))).toEqual([]);
    expect(correlationIds.filter((id) => id !== null).length).toBeGreaterThan(4);
  });
});
