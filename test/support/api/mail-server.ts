import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** The decoded text, without transfer encoding and line breaks. */
  readonly text: string;
  readonly headers: string;
}

/** A server that accepts every mail: as much of SMTP (RFC 5321) as a sender needs. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  private waiting: { readonly count: number; readonly wake: () => void }[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.serve(socket));
  }

  static async start(): Promise<MailServer> {
    const server = createServer();
    const mailServer = new MailServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return mailServer;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves when this many mails have arrived in total. */
  async received(count: number): Promise<readonly ReceivedMail[]> {
    if (this.mails.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.waiting.push({ count, wake: resolve });
      await promise;
    }
    return this.mails;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    const conversation = new Conversation(
      (line) => socket.write(`${line}\r\n`),
      (mail) => this.take(mail),
    );
    socket.setEncoding('utf8').on('data', (chunk: string) => conversation.hear(chunk));
  }

  private take(mail: ReceivedMail): void {
    this.mails.push(mail);
    for (const { count, wake } of this.waiting) if (this.mails.length >= count) wake();
    this.waiting = this.waiting.filter(({ count }) => this.mails.length < count);
  }
}

class Conversation {
  private rest = '';
  private from = '';
  private to: string[] = [];
  private inData = false;

  constructor(
    private readonly say: (line: string) => void,
    private readonly onMail: (mail: ReceivedMail) => void,
  ) {
    say('220 test');
  }

  hear(chunk: string): void {
    this.rest += chunk;
    for (;;) {
      const end = this.inData ? '\r\n.\r\n' : '\r\n';
      const at = this.rest.indexOf(end);
      if (at < 0) return;
      const part = this.rest.slice(0, at);
      this.rest = this.rest.slice(at + end.length);
      if (this.inData) this.takeMail(part);
      else this.obey(part);
    }
  }

  private obey(line: string): void {
    const [verb] = line.toUpperCase().split(/[ :]/, 1);
    const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
    if (verb === 'MAIL') this.from = address;
    if (verb === 'RCPT') this.to.push(address);
    if (verb === 'DATA') this.inData = true;
    this.say(verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok');
  }

  private takeMail(source: string): void {
    const [headers = '', ...body] = source.split('\r\n\r\n');
    const encoded = body.join('\r\n\r\n').replace(/^\./gm, '');
    this.onMail({ from: this.from, to: this.to, headers, text: decode(headers, encoded) });
    this.inData = false;
    this.to = [];
    this.say('250 taken');
  }
}

function decode(headers: string, text: string): string {
  if (/^content-transfer-encoding: base64/im.test(headers)) return Buffer.from(text, 'base64').toString();
  if (!/^content-transfer-encoding: quoted-printable/im.test(headers)) return text;
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
