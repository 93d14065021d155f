import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { DomainError } from '../../kernel/domain-error.js';
import { refuseUnreadable } from './unreadable-requests.js';

let server: FastifyInstance;

beforeEach(() => {
  server = fastify({ return503OnClosing: false });
  server.setErrorHandler((error, _, reply) => reply.code(503).send({ code: (error as DomainError).code }));
  refuseUnreadable(server);
});
afterEach(() => server.close());

it('a request during a stop, on a connection in use, is refused with our own problem', async () => {
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<string>();
  const stopping = Promise.withResolvers<void>();
  server.addHook('preClose', (done) => {
    stopping.resolve();
    done();
  });
  server.get('/held', () => {
    asked.resolve();
    return held.promise;
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n');
  await asked.promise;
  const closed = server.close();
  await stopping.promise;
  socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n');
  held.resolve('done');
  await once(socket, 'close');
  await closed;
  expect(heard).toContain('done');
  expect(heard).toContain('{"code":"stopping"}');
});
