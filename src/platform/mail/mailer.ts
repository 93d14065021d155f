/** A mail of the product: plain text, one recipient. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Delivers mail to its recipients. */
export abstract class Mailer {
  /** False: mails reach no one, so that nothing may depend on them. */
  abstract readonly delivers: boolean;
  /** Resolves when another server has accepted responsibility for the mail; rejects if none has. */
  abstract send(mail: Mail): Promise<void>;
  abstract close(): void;
}
