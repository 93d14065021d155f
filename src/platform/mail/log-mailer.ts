import { Mailer, type Mail } from './mailer.js';

type Write = (fields: object, message: string) => void;

/** For development: mails are written to the log, with their tokens. */
export class LogMailer extends Mailer {
  readonly delivers = true;

  constructor(private readonly write: Write) {
    super();
  }

  send({ to, subject, text }: Mail): Promise<void> {
    this.write({ mailTo: to, subject, text }, 'MAIL_URL is not set: a mail is written here instead of being sent');
    return Promise.resolve();
  }

  close(): void {}
}

/** Without a configured mail server in production: the log does not contain the mail. */
export class NoMailer extends Mailer {
  readonly delivers = false;

  constructor(private readonly write: Write) {
    super();
  }

  send({ subject }: Mail): Promise<void> {
    this.write({ subject }, 'MAIL_URL is not set: a mail is not sent');
    return Promise.resolve();
  }

  close(): void {}
}
