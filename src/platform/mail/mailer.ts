/** A mail of the product: plain text, one recipient. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Takes mail to its recipients. */
export abstract class Mailer {
  /** False: what is sent reaches nobody, so that nothing may depend on it. */
  abstract readonly delivers: boolean;
  /** Resolves when somebody else has taken the responsibility for it; rejects where nobody has. */
  abstract send(mail: Mail): Promise<void>;
  abstract close(): void;
}
