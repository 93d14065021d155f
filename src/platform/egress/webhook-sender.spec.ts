import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { Egress, type EgressOptions } from './egress.js';
import type { SendOutcome } from './send-outcome.js';
import { headersProblem, sendableHeaders } from './tenant-headers.js';
import type { SendRequest } from './webhook-sender.js';

const LOOPBACK = { allowedCidrs: ['127.0.0.0/8', '::1/128'], allowHttp: true };

/** Belongs to no one: made for this test, valid for localhost, trusted by no one. */
const UNTRUSTED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4+GrBmz7qiyD3+mA
c4pzNwMcLHWYGqYU8Sjdy/+L4QKhRANCAATFhW3yDoAotOlX5qnF/OkkJzhNxc7L
9OlDfos2vWHv99SlFB92zRSxcvzzvlSIwzgsGfTIB/gRmfGBPiQZsKv6
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUTPOFZ4wBoYT4meJeHAbrqXQJt+QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzExMjgyMFoYDzIxMjYxMDMw
MTEyODIwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATFhW3yDoAotOlX5qnF/OkkJzhNxc7L9OlDfos2vWHv99SlFB92zRSx
cvzzvlSIwzgsGfTIB/gRmfGBPiQZsKv6o2kwZzAdBgNVHQ4EFgQUpvc3oHY8J+qw
zB0qPBRmwlLJPsMwHwYDVR0jBBgwFoAUpvc3oHY8J+qwzB0qPBRmwlLJPsMwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAI9o4ovGgXywoGr1JDBxCmcJX7dCGhSQMs6suXtkdX4pAiEArMPYO64S
HFwqUMXryGT/9fyYjTxN10Th4SiBvqcHK/A=
-----END CERTIFICATE-----`,
};

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function listen<S extends TcpServer>(server: S): Promise<{ server: S; port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { server, port: (server.address() as AddressInfo).port, sockets };
}

/** Closed, possibly by a reset. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.on('close', () => resolve())));

const receiver = (listener: RequestListener): ReturnType<typeof listen<Server>> => listen(createServer(listener));

function egressOf(options: Partial<EgressOptions> = {}): Egress {
  const egress = new Egress({ ...LOOPBACK, ...options });
  closers.push(() => egress.close());
  return egress;
}

const post = (port: number, more: Partial<SendRequest> = {}): SendRequest => ({
  url: `http://127.0.0.1:${port}/hook?a=1`,
  share: 'a',
  headers: { 'content-type': 'application/json' },
  body: '{"n":1}',
  timeoutMs: 5_000,
  ...more,
});

const failure = (phase: string, error: unknown = expect.any(String)): SendOutcome =>
  ({ kind: 'failure', phase, error, durationMs: expect.any(Number) }) as SendOutcome;

describe('sending', () => {
  it('posts the body byte for byte, with the headers and the host of the URL', async () => {
    const seen: unknown[] = [];
    const { port } = await receiver(async (request, response) => {
      const { method, url, headers } = request;
      seen.push(method, url, headers.host, headers['x-a'], (await Array.fromAsync(request)).join(''));
      response.end('thanks');
    });
    const outcome = await egressOf().sender.send(
      post(port, { headers: { 'x-a': '1' }, body: Buffer.from('{"ü": 1.0}') }),
    );
    expect(outcome).toEqual({ kind: 'response', status: 200, durationMs: expect.any(Number) });
    expect(seen).toEqual(['POST', '/hook?a=1', `127.0.0.1:${port}`, '1', '{"ü": 1.0}']);
  });

  it('sends each header that tenants may set, also those that HTTP clients usually set themselves', async () => {
    const names = `Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Cookie DNT DPoP From
      If-Match If-Modified-Since If-None-Match If-Unmodified-Since Max-Forwards Origin Pragma Prefer Priority
      Referer Sec-Fetch-Site Signature Signature-Input User-Agent Want-Content-Digest X-Api-Key X-Requested-With`;
    const headers = Object.fromEntries(names.split(/\s+/).map((name, i) => [name, `value ${i}`]));
    expect(headersProblem(headers)).toBeNull();
    let seen: IncomingHttpHeaders = {};
    const { port } = await receiver((request, response) => {
      seen = request.headers;
      response.end();
    });
    await egressOf().sender.send(post(port, { headers: sendableHeaders(headers) }));
    for (const [name, value] of Object.entries(headers))
      expect([name, seen[name.toLowerCase()]]).toEqual([name, value]);
  });

  it('does not follow redirects', async () => {
    const paths: unknown[] = [];
    const { port } = await receiver((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await expect(egressOf().sender.send(post(port))).resolves.toMatchObject({ kind: 'response', status: 307 });
    expect(paths).toEqual(['/hook?a=1']);
  });

  it('reports what the receiver said and when to retry', async () => {
    const clock = { now: () => Date.UTC(2026, 10, 23, 12) };
    const { port } = await receiver((_, response) => {
      response.writeHead(503, { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }).end('busy\0 ü');
    });
    const outcome = await egressOf({ clock }).sender.send(post(port));
    expect(outcome).toMatchObject({ status: 503, retryAfterMs: 30_000, excerpt: 'busy\uFFFD ü' });
  });
});

describe('limits', () => {
  it('cuts an endless response, keeps at most 16 KiB of it, and closes the connection', async () => {
    let closed!: Promise<unknown>;
    const { port } = await receiver((request, response) => {
      closed = gone(request.socket);
      response.writeHead(Number(request.headers['x-status']));
      const pour = (): void => {
        while (!response.destroyed && response.write('é'.repeat(5_000)));
      };
      response.on('drain', pour);
      pour();
    });
    const { sender } = egressOf();
    const refusal = await sender.send(post(port, { headers: { 'x-status': '500' } }));
    await closed;
    expect(refusal).toMatchObject({ kind: 'response', status: 500, excerpt: 'é'.repeat(8_192) });
    await expect(sender.send(post(port, { headers: { 'x-status': '200' } }))).resolves.toMatchObject({ status: 200 });
    await closed;
  });

  it('cuts a dripping response at the deadline, which no byte prolongs', async () => {
    let closed!: Promise<unknown>;
    const { port } = await receiver((request, response) => {
      closed = gone(request.socket);
      const drip = setInterval(() => response.write('.'), 10);
      void closed.then(() => clearInterval(drip));
    });
    const outcome = await egressOf().sender.send(post(port, { timeoutMs: 150 }));
    expect(outcome).toMatchObject({ kind: 'response', status: 200 });
    expect((outcome as { durationMs: number }).durationMs).toBeGreaterThanOrEqual(149);
    await closed;
  });

  it('gives up on a receiver that never responds', async () => {
    const { port, sockets } = await receiver(() => undefined);
    await expect(egressOf().sender.send(post(port, { timeoutMs: 50 }))).resolves.toEqual(
      failure('timeout', 'no answer within 50 ms'),
    );
    await gone(sockets[0]!);
  });

  it('counts the resolution of the name into the deadline', async () => {
    const { sender } = egressOf({ resolver: () => new Promise(() => undefined) });
    const request = post(1_024, { url: 'http://slow.example/', timeoutMs: 50 });
    await expect(sender.send(request)).resolves.toEqual(failure('timeout'));
  });

  it('refuses a response with a head of more than 16 KiB', async () => {
    const { port } = await receiver((_, response) => response.writeHead(200, { 'x-long': 'a'.repeat(20_000) }).end());
    await expect(egressOf().sender.send(post(port))).resolves.toEqual(
      failure('response', 'the head of the answer is too large'),
    );
  });
});

describe('the phase of a failure', () => {
  it('is "connect" where no server listens, without the address', async () => {
    const { server, port } = await receiver(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    await expect(egressOf().sender.send(post(port))).resolves.toEqual(failure('connect', 'connection refused'));
  });

  it('is "dns" for a name that does not resolve', async () => {
    const { sender } = egressOf({
      resolver: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    });
    const outcome = await sender.send(post(1_024, { url: 'http://missing.example/' }));
    expect(outcome).toEqual(failure('dns', 'the name does not exist'));
  });

  it('is "tls" for an untrusted certificate and for a port that does not speak TLS', async () => {
    const secure = await listen(createTlsServer(UNTRUSTED, (_, response) => response.end()));
    const plain = await receiver((_, response) => response.end());
    const { sender } = egressOf();
    const outcome = await sender.send(post(0, { url: `https://localhost:${secure.port}/` }));
    expect(outcome).toEqual(failure('tls', 'the certificate is signed by itself'));
    await expect(sender.send(post(0, { url: `https://127.0.0.1:${plain.port}/` }))).resolves.toEqual(
      failure('tls', 'the port does not speak TLS'),
    );
  });

  it('is "response" for a response that is not HTTP', async () => {
    const garbage = await listen(createTcpServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n'))));
    const { sender } = egressOf();
    await expect(sender.send(post(garbage.port))).resolves.toEqual(failure('response', 'the answer is not valid HTTP'));
  });

  it('is "refused" for a header that would split the request', async () => {
    const { port, sockets } = await receiver((_, response) => response.end());
    await expect(egressOf().sender.send(post(port, { headers: { 'x-a': 'a\r\nb: c' } }))).resolves.toEqual(
      failure('refused'),
    );
    expect(sockets).toEqual([]);
  });
});

describe('addresses that are not allowed', () => {
  const nothingOpened = { allowedCidrs: [], allowHttp: true };
  const refused = failure('refused', 'address not allowed');

  it('are refused as literals, in any spelling', async () => {
    const { port, sockets } = await receiver((_, response) => response.end());
    const { sender } = egressOf(nothingOpened);
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '[::1]']) {
      await expect(sender.send(post(port, { url: `http://${host}:${port}/` }))).resolves.toEqual(refused);
    }
    expect(sockets).toEqual([]);
  });

  it('are refused when the name resolves differently between the check and the connection', async () => {
    const { port, sockets } = await receiver((_, response) => response.end());
    const answers: LookupAddress[][] = [
      [{ address: '93.184.216.34', family: 4 }],
      [{ address: '127.0.0.1', family: 4 }],
    ];
    const egress = egressOf({ ...nothingOpened, resolver: () => Promise.resolve(answers.shift()!) });
    const url = `http://rebinding.example:${port}/`;
    await egress.checkUrl(url, 'a');
    await expect(egress.sender.send(post(port, { url }))).resolves.toEqual(refused);
    expect(answers).toEqual([]);
    expect(sockets).toEqual([]);
  });

  it('make a name unusable even among good ones', async () => {
    const { port, sockets } = await receiver((_, response) => response.end());
    const addresses = ['127.0.0.1', '10.0.0.1'].map((address) => ({ address, family: 4 }));
    const { sender } = egressOf({ resolver: () => Promise.resolve(addresses) });
    await expect(sender.send(post(port, { url: `http://mixed.example:${port}/` }))).resolves.toEqual(refused);
    expect(sockets).toEqual([]);
  });

  it('cannot slip in: the checked address is the one connected to, resolved once per connection', async () => {
    const hosts: unknown[] = [];
    const { port } = await receiver((request, response) => response.end(String(hosts.push(request.headers.host))));
    const answers: LookupAddress[][] = [[{ address: '127.0.0.1', family: 4 }]];
    const { sender } = egressOf({ resolver: () => Promise.resolve(answers.shift() ?? []) });
    const request = post(port, { url: `http://shop.example:${port}/` });
    for (const _ of [1, 2]) await expect(sender.send(request)).resolves.toMatchObject({ status: 200 });
    expect(hosts).toEqual([`shop.example:${port}`, `shop.example:${port}`]);
  });
});
