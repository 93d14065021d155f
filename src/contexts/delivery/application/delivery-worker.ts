import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { PinoLogger } from 'nestjs-pino';
import { MANAGEMENT_TOPICS, systemActor } from '../../../kernel/aggregate.js';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { DELIVERY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { Egress, type SendOutcome } from '../../../platform/egress/index.js';
import { LogReader, Tails, type StoredEvent } from '../../../platform/event-log/index.js';
import { Storage } from '../../../platform/postgres/storage.js';
import { Metrics, type ConsumerLag, type DeliveryOutcome } from '../../../platform/telemetry/metrics.js';
import { ConsumerCatalog, PauseConsumer } from '../../consumers/index.js';
import { TopicCatalog } from '../../topics/index.js';
import { DeliveryEngine } from './delivery-engine.js';
import type { Lane, LaneListener } from './lane.js';
import { Membership } from './membership.js';
import { LaneStore } from './ports.js';

const CONSUMERS_LOG = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };
const RETRY_MS = 1_000;

/** Runs the engine: its heartbeat, what happens to consumers, and what it has to tell to logs and metrics. */
@Injectable()
export class DeliveryWorker {
  private readonly engine: DeliveryEngine;
  private readonly stop = new AbortController();
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly commands: CommandBus,
    private readonly tails: Tails,
    private readonly metrics: Metrics,
    private readonly log: PinoLogger,
    @Inject(DELIVERY_SETTINGS) private readonly settings: Settings['delivery'],
    store: LaneStore,
    consumers: ConsumerCatalog,
    topics: TopicCatalog,
    reader: LogReader,
    egress: Egress,
    clock: Clock,
    storage: Storage,
  ) {
    const membership = new Membership(store, { ttlMs: settings.leaseTtlMs, alone: !storage.shared });
    const tools = { reader, tails, sender: egress.sender, clock, random: Math.random, listener: this.listener() };
    this.engine = new DeliveryEngine(store, consumers, topics, membership, tools, {
      checkpointIntervalMs: settings.checkpointIntervalMs,
      onError: (err, what) => this.log.warn({ err, what }, 'delivery could not reach the store; will try again'),
    });
  }

  async start(): Promise<void> {
    this.publishMetrics();
    const tail = await this.tails.follow(CONSUMERS_LOG);
    const position = tail.head;
    this.tails.unfollow(tail);
    await this.engine.start();
    this.loops.push(this.beat(), this.followConsumers(position));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.loops);
    await this.engine.close();
  }

  private async beat(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await pause(this.settings.heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.engine.tick();
    }
  }

  private async followConsumers(from: number): Promise<void> {
    const { signal } = this.stop;
    let position = from;
    while (!signal.aborted) {
      try {
        const tail = await this.tails.follow(CONSUMERS_LOG);
        try {
          while (!signal.aborted) {
            const page = await tail.read(position);
            for (const event of page) await this.engine.consumerChanged(event);
            position = page.at(-1)?.position ?? position;
            if (page.length === 0) await tail.waitBeyond(position, signal);
          }
        } finally {
          this.tails.unfollow(tail);
        }
      } catch (err) {
        this.log.warn({ err }, 'changes of consumers could not be read; will try again');
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private listener(): Omit<LaneListener, 'changed'> {
    return {
      attempted: (lane, event, outcome, attempt) => this.attempted(lane, event, outcome, attempt),
      gapFound: (lane) => {
        this.metrics.gap(lane.state.gap!.kind);
        this.log.error({ ...namesOf(lane), gap: lane.state.gap }, 'the place of a consumer does not exist any more');
      },
      gone: (lane) => void this.pauseGone(lane),
      storeFailed: (lane, err) => this.log.warn({ ...namesOf(lane), err }, 'a lane could not read its topic; will try again'),
    };
  }

  private attempted(lane: Lane, event: StoredEvent, outcome: SendOutcome, attempt: number): void {
    if (outcome.kind === 'aborted') return;
    const result = outcomeOf(outcome);
    this.metrics.attempted(result, outcome.durationMs);
    const level = result === 'delivered' ? 'debug' : 'warn';
    if (!this.log.logger.isLevelEnabled(level)) return;
    const { excerpt: _, ...shown } = { excerpt: undefined, ...outcome };
    const fields = { ...namesOf(lane), eventIds: [event.id], position: event.position, attempt, outcome: shown };
    this.log[level](fields, result === 'delivered' ? 'event delivered' : 'delivery failed');
  }

  private async pauseGone(lane: Lane): Promise<void> {
    const { tenantId, namespaceId, consumerId, settings } = lane.target.consumer;
    const command = new PauseConsumer({ tenantId, namespaceId, consumerId }, 'gone', systemActor(settings.correlationId));
    await this.commands.execute(command).catch((err: unknown) => this.log.warn({ ...namesOf(lane), err }, 'a gone consumer could not be paused'));
  }

  private publishMetrics(): void {
    const lanes = (): Lane[] => [...this.engine.running];
    const sum = (read: (lane: Lane) => number) => (): number => lanes().reduce((total, lane) => total + read(lane), 0);
    this.metrics.gauge('event_store_delivery_lanes', 'Lanes that this instance runs.', () => this.engine.runningCount);
    this.metrics.gauge('event_store_delivery_in_flight', 'Attempts under way.', sum((lane) => lane.inFlight));
    this.metrics.gauge('event_store_delivery_lag_events', 'Events that wait for delivery, all lanes together.', sum((lane) => lane.lag ?? 0));
    this.metrics.gauge('event_store_delivery_lanes_blocked', 'Lanes whose retries are used up.', sum((lane) => Number(lane.state.failure?.blocked ?? false)));
    this.metrics.lags(() => lanes().map(lagOf));
  }
}

function lagOf(lane: Lane): ConsumerLag {
  const { tenantId, namespaceId, consumerId } = lane.target.consumer;
  return { tenant: tenantId, namespace: namespaceId, consumer: consumerId, topic: lane.topicId, events: lane.lag ?? 0 };
}

function namesOf(lane: Lane): Record<string, string> {
  const { tenantId, namespaceId, consumerId, settings } = lane.target.consumer;
  return { correlationId: settings.correlationId, tenant: tenantId, namespace: namespaceId, consumer: consumerId, topic: lane.topicId };
}

function outcomeOf(outcome: Exclude<SendOutcome, { kind: 'aborted' }>): DeliveryOutcome {
  if (outcome.kind === 'response') return outcome.status >= 200 && outcome.status < 300 ? 'delivered' : 'failed';
  if (outcome.phase === 'timeout' || outcome.phase === 'refused') return outcome.phase;
  return 'failed';
}
