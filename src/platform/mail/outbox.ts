import type { Mail, Mailer } from './mailer.js';

const AT_ONCE = 2;
const CLOSE_MS = 5_000;
const WAITING_MAX = 1_000;
const RETRY_MS = [1_000, 10_000, 60_000];

type OnFailure = (error: unknown, attempt: number, final: boolean) => void;

/** Prepares the mail when its turn comes; undefined: there is none. */
export type Preparation = () => Promise<Mail | undefined>;

/**
 * Sends mail after the responses, so that these take the same time whether there is a mail or not. Mails wait in memory only: after a crash,
 * users ask again.
 */
export class Outbox {
  private readonly waiting: Preparation[] = [];
  private readonly retries = new Set<NodeJS.Timeout>();
  private running = 0;
  private idle: PromiseWithResolvers<void> | undefined;

  constructor(
    private readonly mailer: Mailer,
    private readonly onFailure: OnFailure,
  ) {}

  get delivers(): boolean {
    return this.mailer.delivers;
  }

  get isFull(): boolean {
    return this.waiting.length >= WAITING_MAX;
  }

  /** False: too much is waiting already. */
  add(preparation: Preparation): boolean {
    if (this.isFull) return false;
    this.waiting.push(preparation);
    // Not in this turn: the response comes first.
    setImmediate(() => this.work());
    return true;
  }

  /** Called by Nest: mails in progress are completed, those that wait for another attempt are dropped. */
  async onApplicationShutdown(): Promise<void> {
    for (const timer of this.retries) clearTimeout(timer);
    if (this.running > 0 || this.waiting.length > 0) {
      this.idle ??= Promise.withResolvers<void>();
      // A mail server that does not respond must not delay the shutdown.
      const timer = setTimeout(this.idle.resolve, CLOSE_MS);
      await this.idle.promise;
      clearTimeout(timer);
    }
    this.mailer.close();
  }

  private work(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      this.running++;
      void this.send(this.waiting.shift()!).finally(() => {
        this.running--;
        this.work();
      });
    }
    if (this.running === 0) this.idle?.resolve();
  }

  private async send(preparation: Preparation): Promise<void> {
    try {
      const mail = await preparation();
      if (mail) await this.attempt(mail, 1);
    } catch (error) {
      this.onFailure(error, 1, true);
    }
  }

  private async attempt(mail: Mail, attempt: number): Promise<void> {
    try {
      await this.mailer.send(mail);
    } catch (error) {
      const delay = RETRY_MS[attempt - 1];
      this.onFailure(error, attempt, delay === undefined);
      if (delay === undefined) return;
      const timer = setTimeout(() => {
        this.retries.delete(timer);
        void this.attempt(mail, attempt + 1);
      }, delay).unref();
      this.retries.add(timer);
    }
  }
}
