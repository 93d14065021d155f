export { LogMailer, NoMailer } from './log-mailer.js';
export { Mailer, type Mail } from './mailer.js';
export { Outbox, type Preparation } from './outbox.js';
export { SmtpMailer } from './smtp-mailer.js';
