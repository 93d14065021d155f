import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { lingerOnClose } from './linger-on-close.js';

const PIECE = Buffer.alloc(256 * 1024, 'x');
const PIECES = 40;
const HEAD = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${PIECE.length * PIECES}\r\n\r\n`;

let server: Server;
afterEach(() => new Promise((closed) => server.close(closed)));

/** A client, and its connection on the server's side. Each request is refused as soon as its head has arrived. */
async function refusing(lingerMs?: number): Promise<{ client: Socket; connection: Socket }> {
  server = createServer((request, response) => {
    lingerOnClose(request, lingerMs);
    response.writeHead(413, { connection: 'close' }).end('too large');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [connection] = (await once(server, 'connection')) as [Socket];
  client.write(HEAD);
  return { client, connection };
}

it('is read by a client that sends all of its request first', async () => {
  const { client } = await refusing();
  for (let sent = 0; sent < PIECES; sent += 1) {
    if (!client.write(PIECE)) await once(client, 'drain');
  }
  let answer = '';
  client.on('data', (chunk) => (answer += chunk)).end();
  await once(client, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*too large/);
});

it('ends the connection of a client that never closes its own half', async () => {
  const { client, connection } = await refusing(50);
  client.on('error', () => undefined).resume();
  await once(connection, 'close');
  expect(client.writable).toBe(true);
  client.destroy();
});
