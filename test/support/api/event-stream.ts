import type { Client, RequestHeaders } from './client.js';
import type { ReadEvent } from './workspace.js';

export interface Message {
  readonly id: string;
  readonly event: ReadEvent;
}

/** A reader of Server-Sent Events like that of a browser; the test sees each message. */
export class EventStream {
  readonly messages: Message[] = [];
  private buffer = '';
  private ended = false;
  private readonly decoder = new TextDecoder();

  private constructor(
    readonly response: Response,
    private readonly reader: ReadableStreamDefaultReader<Uint8Array>,
    private readonly abort: AbortController,
  ) {}

  static async open(client: Client, path: string, lastEventId?: string): Promise<EventStream> {
    const abort = new AbortController();
    const headers: RequestHeaders = {
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    };
    const response = await client.open('GET', path, undefined, headers, abort.signal);
    if (response.status !== 200)
      throw new Error(`The stream was answered with ${response.status}: ${await response.text()}`);
    return new EventStream(response, response.body!.getReader(), abort);
  }

  /** The first `count` messages, as soon as they have arrived. */
  async received(count: number): Promise<readonly Message[]> {
    while (this.messages.length < count && !this.ended) await this.read();
    if (this.messages.length < count)
      throw new Error(`The stream ended after ${this.messages.length} of ${count} messages.`);
    return this.messages.slice(0, count);
  }

  /** All messages until the server ends the stream. */
  async rest(): Promise<readonly Message[]> {
    while (!this.ended) await this.read();
    return this.messages;
  }

  close(): void {
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const { done, value } = await this.reader.read();
    this.ended = done;
    this.buffer += this.decoder.decode(value, { stream: !done });
    const blocks = this.buffer.split('\n\n');
    this.buffer = blocks.pop()!;
    for (const block of blocks) this.take(block);
  }

  /** Comments keep the connection alive and mean nothing. */
  private take(block: string): void {
    const fields = block.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
    const of = (name: string): string[] =>
      fields.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
    if (of('data').length === 0) return;
    this.messages.push({ id: of('id')[0]!, event: JSON.parse(of('data').join('\n')) as ReadEvent });
  }
}
