/**
 * Shows the main use against a running server: creates a tenant with a topic and a consumer whose receiver is this script, publishes
 * examples/orders.ndjson, shows the deliveries as they arrive until the lag is 0, checks their order, and removes the tenant again.
 *
 *   npm run demo [-- --keep[=NAME]]
 *
 * With --keep the tenant stays; as `acme` it is the one that the examples of /openapi.json refer to.
 *
 * BASE_URL is where the server is (http://127.0.0.1:3000). The credentials are API_KEY, or ADMIN_EMAIL and ADMIN_PASSWORD, or the key that
 * the first start put into DATA_DIR (./data).
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startReceiver } from '../examples/receiver.mjs';

const BASE_URL = (process.env.BASE_URL || 'http://127.0.0.1:3000').replace(/\/$/, '');
const BATCH = 25;
/** Longer than a first retry and than the take-over of a lane; nothing new for this long means that nothing will come. */
const PATIENCE_MS = 20_000;

/** An error explained for the user of the demo. */
class DemoError extends Error {}

async function call(method, path, { body, headers = {} } = {}) {
  const init = { method, headers: { ...credentials, ...headers } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers['content-type'] = 'application/json';
  }
  const response = await fetch(BASE_URL + path, init).catch((error) => {
    const why = error.cause?.code ?? error.message;
    throw new DemoError(`No server at ${BASE_URL} (${why}). Start one with "npm start", or name another by BASE_URL.`);
  });
  const text = await response.text();
  const answer = text === '' ? undefined : JSON.parse(text);
  if (response.ok) return answer;
  if (response.status === 401) throw new DemoError(`The server does not accept these credentials: ${answer.detail}`);
  throw new DemoError(
    `${method} ${path} was answered ${response.status} ${answer?.code ?? ''}: ${answer?.detail ?? text}`,
  );
}

let credentials = {};

async function logIn() {
  const { API_KEY, ADMIN_EMAIL, ADMIN_PASSWORD, DATA_DIR } = process.env;
  await call('GET', '/health/live');
  const file = join(DATA_DIR || 'data', 'admin.key');
  const key = API_KEY || (!ADMIN_PASSWORD && (await readFile(file, 'utf8').catch(() => '')).trim());
  if (key) {
    credentials = { 'x-api-key': key };
    return;
  }
  if (!ADMIN_PASSWORD) {
    throw new DemoError(
      `Credentials are missing: there is no ${file}. Set API_KEY to an API key of an administrator,\n` +
        'or ADMIN_PASSWORD (and ADMIN_EMAIL, unless it is admin@event-store.local).',
    );
  }
  const email = ADMIN_EMAIL || 'admin@event-store.local';
  const { accessToken } = await call('POST', '/auth/login', { body: { email, password: ADMIN_PASSWORD } });
  credentials = { authorization: `Bearer ${accessToken}` };
}

/**
 * Records what arrived, and checks it: positions rise one by one, and so do the versions of each stream; repetitions are counted
 * separately.
 */
class Deliveries {
  received = 0;
  repeated = 0;
  faults = [];
  #lastPosition = 0;
  #versions = new Map();
  #onChange = () => undefined;

  take = ({ headers, body, fault }) => {
    if (fault) this.faults.push(`${headers['webhook-id']}: ${fault}`);
    const { position, stream, streamVersion, type } = JSON.parse(body);
    if (position <= this.#lastPosition) this.repeated++;
    else {
      if (position !== this.#lastPosition + 1)
        this.faults.push(`position ${position} came after ${this.#lastPosition}`);
      const before = this.#versions.get(stream) ?? 0;
      if (streamVersion !== before + 1) this.faults.push(`${stream} went from version ${before} to ${streamVersion}`);
      this.#versions.set(stream, streamVersion);
      this.#lastPosition = position;
      this.received++;
      this.last = { position, stream, type };
    }
    this.#onChange();
  };

  /** Resolves when `total` events have arrived; rejects when nothing new comes for too long. */
  all(total) {
    return new Promise((resolve, reject) => {
      let timer;
      this.#onChange = () => {
        clearTimeout(timer);
        if (this.received >= total) return resolve();
        const message = `Nothing has arrived for ${PATIENCE_MS / 1_000} s; ${this.received} of ${total} came.`;
        timer = setTimeout(() => reject(new DemoError(message)), PATIENCE_MS).unref();
      };
      this.#onChange();
    });
  }

  get streams() {
    return this.#versions.size;
  }
}

/** A line that is overwritten on a terminal; elsewhere a new line now and then. */
function showProgress(deliveries, total) {
  const line = () => {
    const share = deliveries.received / total;
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
    const { type = '', stream = '' } = deliveries.last ?? {};
    return `  [${bar}] ${String(deliveries.received).padStart(4)}/${total}  lag ${String(total - deliveries.received).padStart(4)}  ${type} ${stream}`;
  };
  const tty = process.stdout.isTTY;
  const draw = () => process.stdout.write(tty ? `\r\x1b[2K${line()}` : `${line()}\n`);
  const timer = setInterval(draw, tty ? 80 : 1_000);
  return () => {
    clearInterval(timer);
    draw();
    if (tty) process.stdout.write('\n');
  };
}

async function untilNoLag(consumer) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = await call('GET', `${consumer}/status`);
    const [topic] = status.topics;
    if (topic.lag.events === 0) return topic;
    if (Date.now() > deadline)
      throw new DemoError(`The server still reports a lag of ${topic.lag.events} events: ${status.reason}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function show(tenantId) {
  const namespace = `/tenants/${tenantId}/namespaces/shop`;
  await call('POST', `/tenants/${tenantId}/namespaces`, { body: { id: 'shop' } });
  await call('POST', `${namespace}/topics`, { body: { id: 'orders' } });
  console.log(`Tenant ${tenantId}, namespace shop, topic orders`);

  const text = await readFile(new URL('../examples/orders.ndjson', import.meta.url), 'utf8');
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const deliveries = new Deliveries();
  let secret;
  const receiver = await startReceiver({ secret: () => secret, onDelivery: deliveries.take });
  try {
    const registered = await call('POST', `${namespace}/consumers`, {
      body: {
        id: 'warehouse',
        url: receiver.url,
        topics: [{ topic: 'orders' }],
        correlationId: `${tenantId}-warehouse`,
      },
    });
    secret = registered.secret;
    console.log(`Consumer warehouse at ${receiver.url}, X-Correlation-ID: ${registered.correlationId}`);
    console.log(`Publishing ${events.length} order events in batches of ${BATCH}`);

    const stopShowing = showProgress(deliveries, events.length);
    const startedAt = performance.now();
    try {
      const everything = deliveries.all(events.length);
      const publishing = (async () => {
        for (let i = 0; i < events.length; i += BATCH) {
          await call('POST', `${namespace}/topics/orders/events`, { body: events.slice(i, i + BATCH) });
        }
      })();
      await Promise.all([publishing, everything]);
    } finally {
      stopShowing();
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const place = await untilNoLag(`${namespace}/consumers/warehouse`);
    report(deliveries, events.length, seconds, place);
  } finally {
    await receiver.close();
  }
}

function report(deliveries, total, seconds, place) {
  if (deliveries.faults.length > 0) {
    throw new DemoError(`Something is wrong with what arrived:\n  ${deliveries.faults.slice(0, 10).join('\n  ')}`);
  }
  const repeated = deliveries.repeated > 0 ? `, ${deliveries.repeated} repeated` : '';
  console.log(
    `All ${total} events of ${deliveries.streams} orders arrived in order, every signature verified${repeated}.`,
  );
  console.log(
    `${seconds.toFixed(2)} s from the first publish to the last delivery: ${Math.round(total / seconds)} events/s.`,
  );
  console.log(`Lag 0; the consumer is at position ${place.position}, event ${place.lastEventId}.`);
}

/** Earlier failures are reported by their own error. */
async function remove(tenantId) {
  await call('DELETE', `/tenants/${tenantId}?force=true`).then(
    () => console.log('Tenant removed.'),
    () => console.error(`Tenant ${tenantId} could not be removed.`),
  );
}

function asked(args) {
  const [flag, name] = (args.find((arg) => /^--keep(=|$)/.test(arg)) ?? '').split('=', 2);
  return { keep: flag === '--keep', tenantId: name || `demo-${randomBytes(3).toString('hex')}` };
}

/** Ctrl-C: later failures are its consequences. */
let interrupted = false;

async function main() {
  await logIn();
  const { keep, tenantId } = asked(process.argv.slice(2));
  const end = async () => {
    if (keep) console.log(`Kept: ${BASE_URL}/tenants/${tenantId}`);
    else await remove(tenantId);
  };
  await call('POST', '/tenants', { body: { id: tenantId, name: 'Demo' } });
  process.once('SIGINT', () => {
    interrupted = true;
    void end().finally(() => process.exit(130));
  });
  try {
    await show(tenantId);
  } finally {
    if (!interrupted) await end();
  }
}

main().catch((error) => {
  if (interrupted) return;
  console.error(error instanceof DemoError ? error.message : error);
  process.exitCode = 1;
});
