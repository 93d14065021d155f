import { EventEmitter } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import type { Reply } from './request.js';
import { lines, sendPieces, untilClosed } from './streaming.js';

const reply = (closed = false) => {
  const raw = Object.assign(new EventEmitter(), { closed });
  const sent: { headers?: object; body?: Readable } = {};
  const fake = {
    raw,
    headers: (headers: object) => Object.assign(fake, { sent: Object.assign(sent, { headers }) }),
    send: (body: Readable) => Object.assign(sent, { body }),
  };
  return { sent, raw, reply: fake as unknown as Reply };
};

describe('a response in pieces', () => {
  it('has one piece for each page, with the given headers', async () => {
    const { sent, reply: open } = reply();
    async function* pages(): AsyncGenerator<number[]> {
      yield [1, 2];
      yield [];
      yield [3];
    }
    await sendPieces(
      open,
      { 'content-type': 'text/plain' },
      lines(pages(), (n) => `${n}\n`),
    );
    expect(sent.headers).toEqual({ 'content-type': 'text/plain' });
    await expect(text(sent.body!)).resolves.toBe('1\n2\n3\n');
  });

  it('breaks off if a page fails, and does not look complete', async () => {
    const { sent, reply: open } = reply();
    async function* pages(): AsyncGenerator<number[]> {
      yield [1];
      throw new Error('the store is away');
    }
    await sendPieces(open, {}, lines(pages(), String));
    await expect(text(sent.body!)).rejects.toThrow('away');
  });

  it('reports that it is closed, also to callers that ask afterwards', () => {
    const { raw, reply: open } = reply();
    const signal = untilClosed(open);
    expect(signal.aborted).toBe(false);
    raw.emit('close');
    expect([signal.aborted, untilClosed(reply(true).reply).aborted]).toEqual([true, true]);
  });
});
