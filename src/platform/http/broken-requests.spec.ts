import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { BrokenRequests } from './broken-requests.js';
import { httpError } from './http-errors.js';

const TUNNEL = 'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n';

let server: Server;
beforeEach(async () => {
  const broken = new BrokenRequests(50);
  server = createServer((_, response) => response.end('answered'));
  server.on('clientError', (error, socket) => broken.answer(error, socket as Socket));
  server.on('connect', (_, socket) => broken.refuse(httpError('not-implemented', 'No proxy.'), socket as Socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

const client = async (): Promise<Socket> => {
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  await once(
    socket.on('error', () => undefined),
    'connect',
  );
  return socket;
};
/** Unlike `once`, ignores errors. */
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()));

describe('a client that does not speak HTTP', () => {
  it('does not harm the server if it is gone before it is refused', async () => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const gone = await client();
    const [socket] = await accepted;
    server.prependListener('connect', () => gone.resetAndDestroy());
    gone.write(TUNNEL);
    await closed(socket);
    expect(await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).text()).toBe('answered');
  });

  it.each([
    ['asks for a tunnel', TUNNEL, '501'],
    ['speaks something else', 'EHLO x\r\n', '400'],
  ])(
    'that %s gets a response, and cannot keep the connection or delay a stop by never closing',
    async (_, sent, status) => {
      const socket = await client();
      let heard = '';
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.write(sent);
      await once(socket, 'end');
      expect(heard).toContain(`HTTP/1.1 ${status}`);
      await once(server.close(), 'close');
      socket.destroy();
    },
  );
});
