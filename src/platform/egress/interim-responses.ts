import type { Socket } from 'node:net';
import { InvalidResponse } from './send-outcome.js';

/** Limit for all interim responses to one request; the deadline limits how long they may take. */
const BYTES_MAX = 65_536;
/** `d` is any digit. */
const STATUS_LINE = 'HTTP/1.d 1dd';
const [ZERO, ONE, NINE, CR, LF] = [...Buffer.from('019\r\n')] as [number, number, number, number, number];
const NOTHING = Buffer.alloc(0);

/**
 * Strips the interim responses of a socket (100, 102, 103, any 1xx but 101) before undici reads them: it treats a `100 Continue` that it
 * has not asked for as a broken connection, and accepts any number of the others. Servers and proxies send them unasked.
 *
 * Not by asking (`Expect: 100-continue`): undici refuses to send that, and it would cost each delivery a round trip.
 */
export class InterimResponses {
  /** begin: at the start of a response; interim: within the head of an interim one; final: all further bytes are the final response. */
  private place: 'begin' | 'interim' | 'final' = 'begin';
  /** The status line so far, while its class is not known yet. */
  private statusLine = '';
  private lineIsEmpty = false;
  private bytes = 0;

  private constructor() {}

  static of(socket: Socket): InterimResponses {
    const interim = new InterimResponses();
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      const chunk = read(size) as Buffer | null;
      if (chunk === null || interim.place === 'final') return chunk;
      try {
        return interim.strip(chunk);
      } catch (error) {
        socket.destroy(error as Error);
        return null;
      }
    };
    return interim;
  }

  /** A request is sent: the next bytes begin a response. */
  expect(): void {
    this.expectNext();
    this.bytes = 0;
  }

  /** Something has arrived, even if only half a status line. */
  get begun(): boolean {
    return this.place !== 'begin' || this.bytes > 0;
  }

  /** Returns what is left of a chunk. Throws `InvalidResponse`. */
  private strip(chunk: Buffer): Buffer {
    if (this.isFinal(chunk)) return chunk;
    for (const [i, byte] of chunk.entries()) {
      if (this.place === 'interim') this.passHead(byte);
      else this.passStatusLine(byte);
      if (this.place === 'final') return Buffer.concat([Buffer.from(this.statusLine, 'latin1'), chunk.subarray(i)]);
      if (++this.bytes > BYTES_MAX) throw new InvalidResponse('the interim answers do not end');
    }
    return NOTHING;
  }

  /** The fast path for nearly all responses: one byte shows the class of the status. */
  private isFinal(chunk: Buffer): boolean {
    const conclusive = this.place === 'begin' && this.statusLine === '' && chunk.length > STATUS_LINE.length;
    if (conclusive && chunk[0] !== CR && chunk[0] !== LF && chunk[STATUS_LINE.lastIndexOf('1')] !== ONE)
      this.place = 'final';
    return this.place === 'final';
  }

  private passStatusLine(byte: number): void {
    const { statusLine } = this;
    if (statusLine === '' && (byte === CR || byte === LF)) return;
    const expected = STATUS_LINE[statusLine.length]!;
    const fits = expected === 'd' ? byte >= ZERO && byte <= NINE : byte === expected.charCodeAt(0);
    if (!fits) {
      this.place = 'final';
      return;
    }
    this.statusLine += String.fromCharCode(byte);
    if (this.statusLine.length < STATUS_LINE.length) return;
    if (this.statusLine.endsWith('101')) throw new InvalidResponse('the answer switches to another protocol');
    this.place = 'interim';
    this.lineIsEmpty = false;
  }

  private passHead(byte: number): void {
    if (byte === LF && this.lineIsEmpty) this.expectNext();
    else if (byte === LF) this.lineIsEmpty = true;
    else if (byte !== CR) this.lineIsEmpty = false;
  }

  private expectNext(): void {
    this.place = 'begin';
    this.statusLine = '';
  }
}
