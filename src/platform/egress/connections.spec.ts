import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { AddressPolicy } from './address-policy.js';
import { Connections } from './connections.js';
import { Egress } from './egress.js';
import { LookUps } from './look-ups.js';
import { nameResolver } from './name-resolver.js';
import { CheckedResolver } from './checked-resolver.js';
import type { SendRequest } from './webhook-sender.js';

const LOOPBACK = { allowedCidrs: ['127.0.0.0/8'], allowHttp: true };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function listen(server: Server): Promise<{ port: number; sockets: Socket[] }> {
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
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** A server that calls `onRequest` for each request (each arrives in one piece here), which may respond or not. */
const rawServer = (onRequest: (socket: Socket, nth: number) => void): ReturnType<typeof listen> =>
  listen(
    createTcpServer((socket) => {
      let nth = 0;
      socket.on('data', (chunk) => {
        if (chunk.includes('POST ')) onRequest(socket, ++nth);
      });
    }),
  );

function newEgress(): Egress {
  const egress = new Egress(LOOPBACK);
  closers.push(() => egress.close());
  return egress;
}

const post = (port: number, more: Partial<SendRequest> = {}): SendRequest => ({
  url: `http://127.0.0.1:${port}/`,
  share: 'a',
  headers: {},
  body: '{}',
  timeoutMs: 5_000,
  ...more,
});

describe('keep-alive', () => {
  it('sends sequential requests over one socket, whatever the responses', async () => {
    let nth = 0;
    const { port, sockets } = await listen(
      createServer((_, response) =>
        response.writeHead([200, 204, 500, 302][nth++ % 4]!).end(nth % 4 === 2 ? undefined : 'x'.repeat(30_000)),
      ),
    );
    const { sender } = newEgress();
    const statuses: unknown[] = [];
    for (let i = 0; i < 40; i++) statuses.push(await sender.send(post(port)));
    expect(new Set(statuses.map((outcome) => (outcome as { status: number }).status))).toEqual(
      new Set([200, 204, 500, 302]),
    );
    expect(sockets).toHaveLength(1);
  });

  it('opens as many sockets as there are concurrent requests, and reuses them', async () => {
    const { port, sockets } = await listen(createServer((_, response) => response.end()));
    const { sender } = newEgress();
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 8 }, () => sender.send(post(port))));
    expect(sockets).toHaveLength(8);
  });

  it('does not count a socket that the other side closed in the meantime', async () => {
    const { port, sockets } = await rawServer((socket) => socket.end(OK));
    const { sender } = newEgress();
    for (let i = 0; i < 30; i++) await expect(sender.send(post(port))).resolves.toMatchObject({ status: 200 });
    expect(sockets).toHaveLength(30);
  });

  it('obeys Connection: close', async () => {
    const { port, sockets } = await listen(
      createServer((_, response) => response.setHeader('connection', 'close').end()),
    );
    const { sender } = newEgress();
    for (let i = 0; i < 10; i++) await expect(sender.send(post(port))).resolves.toMatchObject({ status: 200 });
    expect(sockets).toHaveLength(10);
  });

  it('retries once over a new socket when a reused one is lost before a response', async () => {
    const { port, sockets } = await rawServer((socket, nth) => {
      if (nth === 1) socket.write(OK);
      else socket.resetAndDestroy();
    });
    const { sender } = newEgress();
    for (let i = 0; i < 5; i++) await expect(sender.send(post(port))).resolves.toMatchObject({ status: 200 });
    // The first opened one; each of the others lost one and opened one.
    expect(sockets).toHaveLength(5);
  });

  it('does not retry when a new socket is lost, or one is lost within the response', async () => {
    let requests = 0;
    const { port } = await rawServer((socket, nth) => {
      requests++;
      if (requests === 1) socket.destroy();
      else if (nth === 1) socket.write(OK);
      else socket.end('HTTP/1.1 200 OK\r\ncontent-le');
    });
    const { sender } = newEgress();
    await expect(sender.send(post(port))).resolves.toMatchObject({ kind: 'failure', phase: 'response' });
    expect(requests).toBe(1);
    await expect(sender.send(post(port))).resolves.toMatchObject({ status: 200 });
    await expect(sender.send(post(port))).resolves.toMatchObject({ kind: 'failure', phase: 'response' });
    expect(requests).toBe(3);
  });
});

describe('stopping', () => {
  it('ends a request at once when its signal fires, and closes its socket', async () => {
    const stop = new AbortController();
    let closed!: Promise<unknown>;
    const { port } = await rawServer((socket) => {
      closed = once(socket, 'close');
      stop.abort();
    });
    await expect(newEgress().sender.send(post(port, { signal: stop.signal }))).resolves.toEqual({ kind: 'aborted' });
    await closed;
  });

  it('opens no connection when the signal has already fired', async () => {
    const { port, sockets } = await rawServer((socket) => socket.write(OK));
    const { sender } = newEgress();
    await expect(sender.send(post(port, { signal: AbortSignal.abort() }))).resolves.toEqual({ kind: 'aborted' });
    await expect(sender.send(post(port))).resolves.toMatchObject({ status: 200 });
    expect(sockets).toHaveLength(1);
  });

  it('lets requests in flight end, accepts no new ones, and closes every socket', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<Socket>();
    const { port, sockets } = await rawServer(ask);
    const egress = newEgress();
    const underWay = egress.sender.send(post(port));
    const socket = await asked;
    const gone = once(socket, 'close');
    const closed = egress.close();
    await expect(egress.sender.send(post(port))).resolves.toEqual({ kind: 'aborted' });
    socket.write(OK);
    await expect(underWay).resolves.toMatchObject({ status: 200 });
    await Promise.all([closed, gone]);
    expect(sockets).toHaveLength(1);
  });
});

const newConnections = (idleMax?: number): Connections => {
  const policy = new AddressPolicy(LOOPBACK);
  const connections = new Connections(policy, new CheckedResolver(policy, new LookUps(nameResolver())), 1_000, idleMax);
  closers.push(() => connections.close());
  return connections;
};

describe('connections', () => {
  it('are bounded: the longest idle one is closed, those in use stay', async () => {
    const connections = newConnections(2);
    const [a, b, c, inUse] = ['a', 'b', 'c', 'd'].map((name) => connections.acquire(`http://${name}.example`, 'a'));
    for (const connection of [a!, b!, c!]) connections.release(connection);
    expect(connections.idleCount).toBe(2);
    expect([a, b, c, inUse].map((connection) => connection!.client.destroyed)).toEqual([true, false, false, false]);
    expect(connections.acquire('http://b.example', 'a')).toBe(b);
    const another = connections.acquire('http://a.example', 'a');
    expect(another).not.toBe(a);
    for (const connection of [b!, inUse!, another]) connections.discard(connection);
    expect(connections.idleCount).toBe(1);
  });

  it('never reach a literal address that is not allowed, for any caller', async () => {
    const connections = newConnections();
    for (const host of ['10.0.0.1', '[::1]', '[::ffff:10.0.0.1]']) {
      const connection = connections.acquire(`http://${host}:9`, 'a');
      const request = connection.client.request({ method: 'POST', path: '/' });
      await expect(request).rejects.toMatchObject({ name: 'ConnectFailure', phase: 'refused' });
      connections.discard(connection);
    }
  });

  it('are forgotten when the other side closes them', async () => {
    const { port, sockets } = await rawServer((socket) => socket.write(OK));
    const connections = newConnections();
    const connection = connections.acquire(`http://127.0.0.1:${port}`, 'a');
    const { body } = await connection.client.request({ method: 'POST', path: '/' });
    await body.dump();
    connections.release(connection);
    expect(connections.idleCount).toBe(1);
    const gone = once(connection.client, 'disconnect');
    sockets[0]!.end();
    await gone;
    expect(connections.idleCount).toBe(0);
  });
});
