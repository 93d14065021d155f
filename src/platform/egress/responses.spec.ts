import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { Egress } from './egress.js';
import type { SendOutcome } from './send-outcome.js';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';

type Answer = (socket: Socket, nth: number) => void;
let answer: Answer;
let server: Server;
let egress: Egress;
const sockets: Socket[] = [];

beforeEach(async () => {
  let requests = 0;
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).on('data', () => answer(socket, requests++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  egress = new Egress({ allowedCidrs: ['127.0.0.0/8'], allowHttp: true });
});
afterEach(async () => {
  await egress.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

const send = (timeoutMs = 5_000, signal?: AbortSignal): Promise<SendOutcome> => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const headers = { 'content-type': 'text/plain' };
  return egress.sender.send({ url, share: 'a', headers, body: 'x', timeoutMs, signal });
};
const saying =
  (...chunks: readonly string[]): Answer =>
  (socket) =>
    void chunks.reduce<Promise<unknown>>(async (before, chunk) => {
      await before;
      await new Promise((resolve) => socket.write(chunk, resolve));
      // Chunks written in one turn may arrive as one.
      await new Promise(setImmediate);
    }, Promise.resolve());
const ending =
  (text: string): Answer =>
  (socket) =>
    socket.end(text);
const answered = (status: number): object => expect.objectContaining({ kind: 'response', status });
const failure = (error: string, phase = 'response'): object =>
  expect.objectContaining({ kind: 'failure', phase, error });

describe('interim responses', () => {
  it.each([
    ['100', [CONTINUE + OK]],
    ['100, by itself', [CONTINUE, OK]],
    ['102', ['HTTP/1.1 102 Processing\r\n\r\n' + OK]],
    ['103', [HINTS + OK]],
    ['an unknown one', ['HTTP/1.1 199 \r\nx: 1\r\n\r\n' + OK]],
    ['100 of HTTP/1.0', ['HTTP/1.0 100 Continue\r\n\r\n' + OK]],
    ['with an empty line before the response', [CONTINUE + '\r\n' + OK]],
    ['many of all kinds', [(CONTINUE + HINTS).repeat(100) + OK]],
  ])('are skipped: %s', async (_, chunks) => {
    answer = saying(...chunks);
    expect(await send()).toEqual(answered(200));
    // The connection stays usable, and the next response is treated like the first.
    expect(await send()).toEqual(answered(200));
    expect(sockets).toHaveLength(1);
  });

  it('are skipped however they are split into packets, and nothing of the response is lost', async () => {
    const text = `${CONTINUE}${HINTS}HTTP/1.1 503 HTTP/1.1 100\r\ncontent-length: 21\r\n\r\nHTTP/1.1 100 C\r\n\r\nabc`;
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [...places.toSorted((a, b) => a - b), text.length];
        answer = saying(...ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end)));
        expect(await send()).toMatchObject({ status: 503, excerpt: 'HTTP/1.1 100 C\r\n\r\nabc' });
      }),
      { numRuns: 100 },
    );
  });

  it('that do not end are cut off by size and by the deadline', async () => {
    answer = (socket) => {
      const pour = (): void => {
        while (!socket.destroyed && socket.write(CONTINUE.repeat(100)));
      };
      socket.on('drain', pour);
      pour();
    };
    expect(await send()).toEqual(failure('the interim answers do not end'));
    answer = saying(CONTINUE);
    expect(await send(50)).toEqual(failure('no answer within 50 ms', 'timeout'));
  });

  it('do not allow a switch to another protocol', async () => {
    answer = saying('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
    expect(await send()).toEqual(failure('the answer switches to another protocol'));
    expect(sockets).toHaveLength(1);
  });

  it('alone are not a response', async () => {
    answer = ending(HINTS);
    expect(await send()).toEqual(failure('connection closed before an answer'));
    answer = ending('HTTP/1.1 1');
    expect(await send()).toEqual(failure('connection closed before an answer'));
  });
});

describe('once there is a head, its status decides', () => {
  it.each([
    ['204 that announces a body', 204, saying('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n')],
    ['204 that has one', 204, saying('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok')],
    ['204 in chunks', 204, saying('HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n')],
    ['304 that announces a length', 304, saying('HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n')],
    ['200 that breaks off', 200, ending('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')],
    ['205 without the body that it announces', 205, ending('HTTP/1.1 205 Reset\r\ncontent-length: 2\r\n\r\n')],
    ['200 that is badly chunked', 200, saying('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n')],
    ['200 whose chunks break off', 200, ending('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab')],
    ['503 that breaks off', 503, ending('HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\nabc')],
    ['410 that breaks off', 410, ending('HTTP/1.1 410 Gone\r\ncontent-length: 9\r\n\r\n')],
    ['200 of HTTP/1.0 to the end', 200, ending('HTTP/1.0 200 OK\r\n\r\nas long as it lasts')],
  ])('%s', async (_, expected, said) => {
    answer = said;
    expect(await send()).toEqual(answered(expected));
    answer = saying(OK);
    expect(await send()).toEqual(answered(200));
    expect(sockets).toHaveLength(2);
  });

  it('200 whose body does not end within the deadline', async () => {
    answer = saying('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc');
    expect(await send(50)).toEqual(answered(200));
    answer = saying('HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\nabc');
    expect(await send(50)).toMatchObject({ status: 503, retryAfterMs: 7_000, excerpt: 'abc' });
  });

  it.each([200, 503])('%d whose body is cut off by a shutdown', async (status) => {
    const stop = new AbortController();
    const stopSoon = (): void => void setImmediate(() => stop.abort());
    answer = saying(`HTTP/1.1 ${status} x\r\ncontent-length: 9\r\n\r\n`);
    subscribe('undici:request:headers', stopSoon);
    expect(await send(5_000, stop.signal)).toEqual(answered(status));
    unsubscribe('undici:request:headers', stopSoon);
  });

  it('and half a head does not count', async () => {
    answer = ending('HTTP/1.1 200 OK\r\ncontent-le');
    expect(await send()).toEqual(failure('connection closed before an answer'));
  });
});

describe('a connection', () => {
  it.each([
    ['that says it closes', saying('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'), 200],
    ['that closes without saying so', ending(OK), 200],
    ['that sends more than was asked for', saying(OK + 'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n'), 200],
    ['that sends garbage afterwards', saying(NO_CONTENT + 'rubbish'), 204],
  ])('%s is not reused', async (_, said, expected) => {
    answer = said;
    expect(await send()).toEqual(answered(expected));
    answer = saying(OK);
    expect(await send()).toEqual(answered(200));
    expect(sockets).toHaveLength(2);
  });

  it('without any of these is reused', async () => {
    answer = saying(NO_CONTENT);
    expect([await send(), await send()]).toEqual([answered(204), answered(204)]);
    expect(sockets).toHaveLength(1);
  });
});
