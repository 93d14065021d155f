import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import { installBodyParsers } from './body-parsers.js';

const BYTES = 30_000;
let server: FastifyInstance;
let lookingUp: PromiseWithResolvers<void>;

beforeEach(async () => {
  server = fastify();
  lookingUp = Promise.withResolvers();
  // As the credentials are looked up before a large body is read.
  server.addHook('onRequest', async ({ raw, headers }, reply) => {
    if (headers['x-slow'] === undefined) return;
    raw.socket.resume();
    lookingUp.resolve();
    await once(reply.raw, 'close');
  });
  installBodyParsers(server, { bodyBytesMax: 1_000, rawBodyBytesMax: BYTES, inFlightBytesMax: BYTES });
  server.post('/', { config: { rawBody: true } }, async ({ body }) => ({ bytes: (body as Buffer).length }));
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => server.close());

it('the announced length of a client that went away takes no room from others', async () => {
  const { port } = server.server.address() as AddressInfo;
  const head = `POST / HTTP/1.1\r\nhost: x\r\nx-slow: 1\r\ncontent-type: application/json\r\ncontent-length: ${BYTES}\r\n\r\n`;
  const socket = connect(port, '127.0.0.1');
  socket.write(head);
  await lookingUp.promise;
  socket.destroy();
  await once(socket, 'close');
  const send = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: 'x'.repeat(BYTES),
    });
  for (let i = 0; i < 3; i++) expect(await (await send()).json()).toEqual({ bytes: BYTES });
});
