import { createTransport } from 'nodemailer';
import { Mailer, type Mail } from './mailer.js';

const CONNECTIONS_MAX = 2;
const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_MS = 30_000;

/** By SMTP; STARTTLS is used where the server offers it, and `smtps:` begins with TLS. */
export class SmtpMailer extends Mailer {
  readonly delivers = true;
  private readonly transport: ReturnType<typeof createPool>;

  constructor(
    url: string,
    private readonly from: string,
  ) {
    super();
    this.transport = createPool(url);
  }

  async send({ to, subject, text }: Mail): Promise<void> {
    // As objects: a string would be parsed, and could name more than one recipient.
    await this.transport.sendMail({ from: this.from, to: { name: '', address: to }, subject, text });
  }

  close(): void {
    this.transport.close();
  }
}

const createPool = (url: string) =>
  createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
