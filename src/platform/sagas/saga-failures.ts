import type { PinoLogger } from 'nestjs-pino';
import type { Counter } from 'prom-client';

/** Reports what sagas failed to do: a log line, and a count for alarms. */
export class SagaFailures {
  constructor(
    private readonly log: PinoLogger,
    private readonly failures: Counter<'name'>,
  ) {}

  /** `name` is that of a saga, or of a command of one. Either the caches were cleared for it, or the event comes again. */
  report(name: string, err: unknown): void {
    this.failures.inc({ name });
    this.log.error({ saga: name, err }, 'a saga, or a command of one, failed');
  }

  reportRetry(subscription: string, err: unknown): void {
    this.failures.inc({ name: subscription });
    this.log.warn({ subscription, err }, 'what a management event leads to failed; will try again');
  }
}
