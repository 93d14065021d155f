import type { PinoLogger } from 'nestjs-pino';
import type { Counter } from 'prom-client';

/** Tells of what sagas did not get done: a log line, and a count that can raise an alarm. */
export class SagaFailures {
  constructor(
    private readonly log: PinoLogger,
    private readonly failures: Counter<'name'>,
  ) {}

  /** `name` is that of a saga, or of a command of one. What is remembered was forgotten for it, or it comes again. */
  tell(name: string, err: unknown): void {
    this.failures.inc({ name });
    this.log.error({ saga: name, err }, 'a saga, or a command of one, failed');
  }

  willTryAgain(subscription: string, err: unknown): void {
    this.failures.inc({ name: subscription });
    this.log.warn({ subscription, err }, 'what a management event leads to failed; will try again');
  }
}
