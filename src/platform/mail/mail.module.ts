import { Module } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MAIL_SETTINGS, type Settings } from '../config/index.js';
import { LogMailer, NoMailer } from './log-mailer.js';
import { Mailer } from './mailer.js';
import { Outbox } from './outbox.js';
import { SmtpMailer } from './smtp-mailer.js';

function openMailer(mail: Settings['mail'], log: PinoLogger): Mailer {
  if (mail.url) return new SmtpMailer(mail.url.reveal(), mail.from!);
  const write = (fields: object, message: string): void => log.warn(fields, message);
  return mail.log ? new LogMailer(write) : new NoMailer(write);
}

@Module({
  providers: [
    { provide: Mailer, inject: [MAIL_SETTINGS, PinoLogger], useFactory: openMailer },
    {
      provide: Outbox,
      inject: [Mailer, PinoLogger],
      useFactory: (mailer: Mailer, log: PinoLogger) =>
        new Outbox(mailer, (err, attempt, final) =>
          log.warn({ err, attempt }, final ? 'a mail is given up' : 'a mail was not taken; will try again'),
        ),
    },
  ],
  exports: [Outbox],
})
export class MailModule {}
