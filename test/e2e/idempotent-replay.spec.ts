import { Agent, request as send, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { startProcess, type TestProcess } from '../support/server/app.js';
import { Workspace } from '../support/api/workspace.js';

let server: TestProcess;
let shop: Workspace;
/** One connection, as of a client with keep-alive. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  server = await startProcess({ env: { LOG_LEVEL: 'info' } });
  shop = await Workspace.create(server.client);
});
afterAll(async () => {
  agent.destroy();
  await server.stop();
});

interface Heard {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly sameConnection: boolean;
}

async function post(path: string, body: object, key: string): Promise<Heard> {
  const headers = { 'x-api-key': server.apiKey, 'content-type': 'application/json', 'idempotency-key': key };
  const sent = send(server.url + path, { method: 'POST', agent, headers });
  const answered = new Promise<Heard>((resolve, reject) => {
    sent.once('error', reject).once('response', (response) => {
      const { statusCode: status, headers: heard } = response;
      text(response).then(
        (told) => resolve({ status, headers: heard, body: told, sameConnection: sent.reusedSocket }),
        reject,
      );
    });
  });
  sent.end(JSON.stringify(body));
  return answered;
}

it.each([
  ['tenants', () => '/tenants', { id: 'replayed' }],
  ['namespaces', () => `/tenants/${shop.tenant}/namespaces`, { id: 'replayed' }],
  ['topics', () => `${shop.base}/topics`, { id: 'replayed' }],
  [
    'consumers',
    () => `${shop.base}/consumers`,
    { id: 'replayed', url: 'http://127.0.0.1:65500/', topics: [{ topic: 'orders' }] },
  ],
  ['events', () => shop.events(), { type: 't', data: 1 }],
])('a replayed response is the same, on the same connection, and logs no failure: %s', async (name, path, body) => {
  const first = await post(path(), body, `key-${name}`);
  expect([first.status, first.headers['idempotent-replayed']]).toEqual([201, undefined]);
  for (let again = 0; again < 3; again++) {
    const replayed = await post(path(), body, `key-${name}`);
    expect(replayed).toMatchObject({ status: 201, body: first.body, sameConnection: true });
    expect(replayed.headers).toMatchObject({
      'idempotent-replayed': 'true',
      location: first.headers.location,
      'content-type': first.headers['content-type'],
    });
    expect(replayed.headers.etag).toBe(first.headers.etag);
  }
  expect(server.output()).not.toContain('request failed');
});
