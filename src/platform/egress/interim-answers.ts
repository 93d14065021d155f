import type { Socket } from 'node:net';
import { AnswerFlaw } from './send-outcome.js';

/** Of all interim answers to one request; how long they may take is the deadline's to say. */
const BYTES_MAX = 65_536;
/** `d` is any digit. */
const STATUS_LINE = 'HTTP/1.d 1dd';
const [ZERO, ONE, NINE, CR, LF] = [...Buffer.from('019\r\n')] as [number, number, number, number, number];
const NOTHING = Buffer.alloc(0);

/**
 * Reads over the interim answers of a socket (100, 102, 103, any 1xx but 101) before undici reads it: that takes a `100 Continue` that it
 * has not asked for as a broken connection, and any number of the others. Servers and proxies send them unasked.
 *
 * Not by asking (`Expect: 100-continue`): undici refuses to send that, and it would cost each delivery a round trip.
 */
export class InterimAnswers {
  /** begin: of an answer; interim: within the head of one; final: all that comes is the answer itself. */
  private place: 'begin' | 'interim' | 'final' = 'begin';
  /** Of a status line, as long as it does not tell what it is. */
  private statusLine = '';
  private lineIsEmpty = false;
  private bytes = 0;

  private constructor() {}

  static of(socket: Socket): InterimAnswers {
    const interim = new InterimAnswers();
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      const chunk = read(size) as Buffer | null;
      if (chunk === null || interim.place === 'final') return chunk;
      try {
        return interim.readOver(chunk);
      } catch (error) {
        socket.destroy(error as Error);
        return null;
      }
    };
    return interim;
  }

  /** A request is sent: what comes next begins an answer. */
  expect(): void {
    this.expectNext();
    this.bytes = 0;
  }

  /** Something came, were it half a status line. */
  get begun(): boolean {
    return this.place !== 'begin' || this.bytes > 0;
  }

  /** What is left of a chunk. Throws `AnswerFlaw`. */
  private readOver(chunk: Buffer): Buffer {
    if (this.isFinal(chunk)) return chunk;
    for (const [i, byte] of chunk.entries()) {
      if (this.place === 'interim') this.passHead(byte);
      else this.passStatusLine(byte);
      if (this.place === 'final') return Buffer.concat([Buffer.from(this.statusLine, 'latin1'), chunk.subarray(i)]);
      if (++this.bytes > BYTES_MAX) throw new AnswerFlaw('the interim answers do not end');
    }
    return NOTHING;
  }

  /** At a glance, as nearly all are: a byte tells the class of the status. */
  private isFinal(chunk: Buffer): boolean {
    const tells = this.place === 'begin' && this.statusLine === '' && chunk.length > STATUS_LINE.length;
    if (tells && chunk[0] !== CR && chunk[0] !== LF && chunk[STATUS_LINE.lastIndexOf('1')] !== ONE)
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
    if (this.statusLine.endsWith('101')) throw new AnswerFlaw('the answer switches to another protocol');
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
