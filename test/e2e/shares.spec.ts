import { once } from 'node:events';
import type { Socket } from 'node:net';
import { startProcess, type TestProcess } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { connect } from '../support/server/postgres.js';
import { openSocket } from '../support/faults/raw-http.js';
import { member, type Person } from '../support/api/strangers.js';
import { until, Workspace } from '../support/api/workspace.js';

/**
 * Resources that all tenants of a process share, used by one tenant as much as it can: streams, slots of the audit, memory for responses
 * that are not read. Other tenants must not notice.
 */
const STREAMS_MAX = 12;
/** More than the buffers of the kernel: the rest waits in the server until the client reads. */
const UNREAD_BYTES = 24 * 1024 * 1024;

let server: TestProcess;
let loud: Workspace;
let quiet: Workspace;
let attacker: Person;
let neighbour: Person;
const open: { close(): void }[] = [];

beforeAll(async () => {
  const env = { HTTP_STREAMS_MAX: String(STREAMS_MAX), HTTP_UNREAD_TIMEOUT_MS: '1000', LOG_LEVEL: 'info' };
  server = await startProcess({ env });
  [loud, quiet] = [await Workspace.create(server.client), await Workspace.create(server.client)];
  attacker = await member(server, loud.tenant, 'admin');
  neighbour = await member(server, quiet.tenant, 'admin');
  await quiet.publishMany(1);
});
afterAll(() => server?.stop());
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

interface Opened {
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: string | null;
}

async function follow(client: Client, shop: Workspace, accept = 'text/event-stream'): Promise<Opened> {
  const abort = new AbortController();
  open.push({ close: () => abort.abort() });
  const answer = await client.open('GET', shop.events(), undefined, { accept }, abort.signal);
  const code = answer.status === 200 ? undefined : ((await answer.json()) as { code: string }).code;
  return { status: answer.status, code, retryAfter: answer.headers.get('retry-after') };
}

async function freshKey({ userId }: Person): Promise<Client> {
  const made = await server.client.post<{ key: string }>(`/users/${userId}/api-keys`, { name: 'another' });
  return server.client.with({ 'x-api-key': made.body.key });
}

const linesOf = (message: string): { level: number; code?: string; status?: number }[] =>
  server
    .output()
    .split('\n')
    .filter((line) => line.includes(`"msg":"${message}"`))
    .map((line) => JSON.parse(line) as { level: number; code?: string });

describe('streams', () => {
  it('are limited to a share of each person, across all keys: others, in the same and other tenants, still get theirs', async () => {
    const opened: Opened[] = [];
    for (let round = 0; round < STREAMS_MAX + 1; round++)
      opened.push(await follow(round % 3 === 0 ? await freshKey(attacker) : attacker.client, loud));
    const refused = opened.filter(({ status }) => status !== 200);
    expect(opened.length - refused.length).toBe(STREAMS_MAX / 3);
    expect(new Set(refused.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['429 stream-share-used']));
    expect(Number(refused[0]!.retryAfter)).toBeGreaterThan(0);
    const colleague = await member(server, loud.tenant, 'admin');
    expect((await follow(colleague.client, loud)).status).toBe(200);
    for (const accept of ['text/event-stream', 'application/x-ndjson'])
      expect((await follow(neighbour.client, quiet, accept)).status).toBe(200);
    // Long-lived streams do not reduce the share of short reads.
    expect((await follow(attacker.client, loud, 'application/x-ndjson')).status).toBe(200);
  });

  it('beyond the limit of the instance are 503; the log has ten lines a minute of them, none at error', async () => {
    const tenants = await Promise.all(Array.from({ length: STREAMS_MAX }, () => Workspace.create(server.client)));
    for (const shop of tenants) {
      const { client } = await member(server, shop.tenant, 'admin');
      expect((await follow(client, shop)).status).toBe(200);
    }
    const full: Opened[] = [];
    for (let n = 0; n < 15; n++) full.push(await follow(neighbour.client, quiet));
    expect(new Set(full.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['503 too-many-streams']));
    expect(Number(full[0]!.retryAfter)).toBeGreaterThan(0);
    const told = await until(
      () => Promise.resolve(linesOf('request answered').filter(({ status }) => status === 503)),
      (lines) => lines.length >= full.length,
    );
    expect(told.filter(({ level }) => level >= 40)).toEqual([]);
    expect(linesOf('request refused').filter(({ code }) => code === 'too-many-streams')).toHaveLength(10);
  });

  it('are free again when they end, also if the client left before its response', async () => {
    const { client } = await member(server, loud.tenant, 'admin');
    for (let round = 0; round < STREAMS_MAX; round++) {
      const abort = new AbortController();
      const asked = client.open('GET', loud.events(), undefined, { accept: 'text/event-stream' }, abort.signal);
      abort.abort();
      await asked.catch(() => undefined);
    }
    const { status } = await until(
      () => follow(client, loud),
      (answer) => answer.status === 200,
    );
    expect(status).toBe(200);
  });
});

/** Sends a request and reads only the beginning of the response. */
async function askAndNotRead(client: Client, method: string, path: string, body = '', accept = '*/*'): Promise<Socket> {
  const socket = await openSocket(server.url);
  open.push({ close: () => socket.destroy() });
  const head = { ...client.headers, host: 'x', accept, 'content-type': 'application/json' };
  const lines = Object.entries({ ...head, 'content-length': String(body.length) }).map((pair) => pair.join(': '));
  socket.write([`${method} ${path} HTTP/1.1`, ...lines, '', body].join('\r\n'));
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}

/** Everything on the connection until it ends. */
async function restOf(socket: Socket): Promise<{ readonly bytes: number; readonly broken: boolean }> {
  let bytes = 0;
  let broken = false;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  socket.on('error', () => (broken = true));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  await closed;
  return { bytes, broken };
}

const endings = (): number => linesOf('a connection was ended: its answer was not read').length;

describe('a client that does not read', () => {
  beforeAll(async () => {
    const data = 'x'.repeat(1024 * 1024 - 100);
    for (let size = 0; size < UNREAD_BYTES; size += data.length) await loud.publish({ type: 't', data }, 'orders');
  });

  it.each(['text/event-stream', 'application/x-ndjson'])(
    'of %s is cut off, and the response does not look complete',
    async (accept) => {
      const before = endings();
      const socket = await askAndNotRead(attacker.client, 'GET', loud.events(), '', accept);
      await until(
        () => Promise.resolve(endings()),
        (count) => count > before,
      );
      const { bytes, broken } = await restOf(socket);
      expect([broken, bytes < UNREAD_BYTES]).toEqual([true, true]);
    },
  );

  it('of pages, however many on one connection, is cut off as well', async () => {
    const before = endings();
    const socket = await askAndNotRead(attacker.client, 'GET', loud.events());
    const again = `GET ${loud.events()} HTTP/1.1\r\nhost: x\r\nx-api-key: ${attacker.client.headers['x-api-key']}\r\n\r\n`;
    socket.write(again.repeat(8));
    await until(
      () => Promise.resolve(endings()),
      (count) => count > before,
    );
    expect((await restOf(socket)).broken).toBe(true);
  });
});

describe('the audit', () => {
  const exportOf = (shop: Workspace): string => `/tenants/${shop.tenant}/audit/export`;

  beforeAll(async () => {
    const sql = await connect(server.connection);
    await sql.query(
      `INSERT INTO audit_record (tenant_id, audit_id, occurred_at, action, outcome, reason, actor_kind, actor_id, user_id, address,
         user_agent, route, resource, correlation_id, times, state_before, state_after, mac)
       SELECT tenant_id, audit_id || n, occurred_at, action, outcome, reason, actor_kind, actor_id, user_id, address,
         user_agent, route, resource, correlation_id, times, state_before, '"' || repeat('x', 60000) || '"', mac
       FROM generate_series(1000, 2200) n, (SELECT * FROM audit_record WHERE tenant_id = $1 AND action <> 'tenant.created' LIMIT 1) one`,
      [loud.tenant],
    );
    await sql.end();
  });

  it('is exported once at a time for each tenant: slow readers hold up neither other tenants nor the system, and not for long', async () => {
    const before = endings();
    const socket = await askAndNotRead(attacker.client, 'POST', exportOf(loud), '{"format":"ndjson"}');
    for (let n = 0; n < 3; n++) {
      const second = await attacker.client.post(exportOf(loud), { format: 'ndjson' });
      expect([second.status, second.body.code]).toEqual([429, 'audit-under-way']);
      expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await neighbour.client.get(`/tenants/${quiet.tenant}/audit/verify`)).status).toBe(200);
    expect((await neighbour.client.post(exportOf(quiet), { format: 'csv' })).status).toBe(200);
    expect((await server.client.get('/audit/verify')).status).toBe(200);
    await until(
      () => Promise.resolve(endings()),
      (count) => count > before,
    );
    expect((await restOf(socket)).broken).toBe(true);
    expect((await attacker.client.get(`/tenants/${loud.tenant}/audit/verify`)).status).toBe(200);
  });
});
