import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { PinoLogger } from 'nestjs-pino';
import { systemActor } from '../../../kernel/aggregate.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { PauseConsumer, type ConsumerView } from '../../consumers/index.js';
import { DeliveryMetrics, type DeliveryOutcome } from './delivery-metrics.js';
import type { AttemptedEvent, LaneReport, CompletedAttempt } from './lane.js';
import type { LaneView } from './ports.js';

/** Reports what happens on lanes to logs and metrics, and pauses consumers whose endpoint is gone. */
@Injectable()
export class DeliveryReport implements LaneReport {
  constructor(
    private readonly commands: CommandBus,
    private readonly metrics: DeliveryMetrics,
    private readonly log: PinoLogger,
  ) {}

  attempted(lane: LaneView, event: AttemptedEvent, outcome: CompletedAttempt, attempt: number): void {
    const result = outcomeOf(outcome);
    this.metrics.attempted(result, outcome.durationMs);
    const level = result === 'delivered' ? 'debug' : 'warn';
    if (!this.log.logger.isLevelEnabled(level)) return;
    // What the endpoint said may be confidential: it is not logged.
    const shown =
      outcome.kind === 'response' ? { status: outcome.status } : { phase: outcome.phase, error: outcome.error };
    const { durationMs } = outcome;
    const fields = { ...namesOf(lane), eventIds: [event.id], position: event.position, attempt, durationMs, ...shown };
    this.log[level](fields, result === 'delivered' ? 'event delivered' : 'delivery failed');
  }

  gapFound(lane: LaneView): void {
    const { gap } = lane.state;
    this.metrics.gap(gap!.kind);
    this.log.error({ ...namesOf(lane), gap }, 'the place of a consumer does not exist any more');
  }

  blocked(lane: LaneView): void {
    const { attempt, error } = lane.state.failure!;
    const { phase, status, message: reason } = error;
    const position = lane.state.position + 1;
    this.log.warn({ ...namesOf(lane), position, attempt, phase, status, reason }, 'a lane is blocked');
  }

  /** 410: the endpoint wants no more events. The position is kept. A consumer that has changed since may have another endpoint. */
  async endpointGone(lane: LaneView): Promise<boolean> {
    const { tenantId, namespaceId, consumerId, settings, version } = lane.consumer;
    const command = new PauseConsumer(
      { tenantId, namespaceId, consumerId },
      'gone',
      systemActor(settings.correlationId),
      version,
    );
    try {
      await this.commands.execute(command);
      return true;
    } catch (err) {
      if (err instanceof DomainError && err.code === 'version-mismatch') return false;
      this.log.warn({ ...namesOf(lane), err }, 'a consumer whose endpoint is gone could not be paused');
      return false;
    }
  }

  storeFailed(lane: LaneView, err: unknown): void {
    this.log.warn({ ...namesOf(lane), err }, 'a lane could not read its topic; will try again');
  }

  requestFailed(lane: LaneView, err: unknown): void {
    this.log.warn({ ...namesOf(lane), err }, 'a request to a webhook could not be made');
  }

  secretsUnreadable({ tenantId, namespaceId, consumerId, settings }: ConsumerView, err: unknown): void {
    const names = { tenant: tenantId, namespace: namespaceId, consumer: consumerId };
    this.log.error(
      { correlationId: settings.correlationId, ...names, err },
      'the secrets of a consumer cannot be read; nothing is delivered to it',
    );
  }

  /** Something in the engine failed that concerns no single lane. */
  engineFailed(err: unknown, what: string): void {
    this.log.warn({ err, what }, 'delivery could not reach the store; will try again');
  }
}

function namesOf(lane: LaneView): Record<string, string> {
  const { tenantId, namespaceId, consumerId, settings } = lane.consumer;
  return {
    correlationId: settings.correlationId,
    tenant: tenantId,
    namespace: namespaceId,
    consumer: consumerId,
    topic: lane.topicId,
  };
}

function outcomeOf(outcome: CompletedAttempt): DeliveryOutcome {
  if (outcome.kind === 'response') return outcome.status >= 200 && outcome.status < 300 ? 'delivered' : 'failed';
  return outcome.phase === 'timeout' || outcome.phase === 'refused' ? outcome.phase : 'failed';
}
