import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { EarlyListener } from './early-listener.js';
import { OpenConnections } from './open-connections.js';

@Module({})
class Empty {}

let app: NestFastifyApplication;
beforeEach(async () => {
  app = await NestFactory.create<NestFastifyApplication>(Empty, new FastifyAdapter(), { logger: false });
  app
    .getHttpAdapter()
    .getInstance()
    .post('/echo', (sent, reply) => reply.send(sent.body as object));
});
afterEach(() => app.close());

function echo(port: number, text: string, agent?: Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { 'content-type': 'application/json' };
  request({ port, host: '127.0.0.1', method: 'POST', path: '/echo', headers, agent }, (answer) => {
    let body = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    answer.on('end', () => resolve(body));
  })
    .on('error', reject)
    .end(JSON.stringify({ text }));
  return promise;
}

const connected = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket.resume();
};

describe('a listener that exists before its server', () => {
  it('holds clients; the server responds to them, and continues with their connections and with new ones', async () => {
    const listener = await EarlyListener.open(0, '127.0.0.1');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const early = [echo(listener.port, 'one', agent), echo(listener.port, 'two', agent), echo(listener.port, 'three')];
    (await connected(listener.port)).destroy();
    await listener.handOver(app);
    expect(await Promise.all(early)).toEqual(['one', 'two', 'three'].map((text) => JSON.stringify({ text })));
    expect(await echo(listener.port, 'four', agent)).toBe('{"text":"four"}');
    expect(await echo(listener.port, 'five')).toBe('{"text":"five"}');
    agent.destroy();
  });

  it('leaves no connection whose request a stop would not wait for', async () => {
    const connections = new OpenConnections(app.getHttpAdapter().getInstance());
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<string>();
    app
      .getHttpAdapter()
      .getInstance()
      .get('/slow', () => {
        asked.resolve();
        return held.promise;
      });
    const listener = await EarlyListener.open(0, '127.0.0.1');
    const client = await connected(listener.port);
    const idle = await connected(listener.port);
    const order: string[] = [];
    client.on('data', () => order.push('answered'));
    client.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await listener.handOver(app);
    await asked.promise;
    // Node does not count the connection: for Node the server is closed at once.
    app.getHttpServer().once('close', () => setImmediate(() => held.resolve('done')));
    const ended = connections.closeUnused(10_000);
    await app.close().finally(ended);
    order.push('stopped');
    expect(order).toEqual(['answered', 'stopped']);
    await Promise.all([client, idle].map((socket) => socket.closed || once(socket, 'close')));
  });

  it('closes connections that have waited too long, and new ones when too many wait', async () => {
    const listener = await EarlyListener.open(0, '127.0.0.1', { connections: 2, ms: 50 });
    const sockets = await Promise.all([1, 2, 3].map(() => connected(listener.port)));
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
    await listener.handOver(app);
    expect(await echo(listener.port, 'one')).toBe('{"text":"one"}');
  });

  it('reports an address in use at once', async () => {
    const listener = await EarlyListener.open(0, '127.0.0.1');
    await expect(EarlyListener.open(listener.port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await listener.handOver(app);
  });
});
