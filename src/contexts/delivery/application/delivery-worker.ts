import { Inject, Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { DELIVERY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { LogFollower, LogReader, Tails, type StoredEvent } from '../../../platform/event-log/index.js';
import { Loop } from '../../../platform/jobs/loop.js';
import { ConsumerFollowers } from '../../consumers/index.js';
import { DeliveryEngine } from './delivery-engine.js';
import { DeliveryReport } from './delivery-report.js';

const CONSUMERS_LOG = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };
const RETRY = { minMs: 1_000, maxMs: 1_000 };

/** Runs the engine: calls its heartbeat and passes it the changes of consumers. */
@Injectable()
export class DeliveryWorker {
  private started = false;
  private closed = false;
  /** The last change of a consumer that the engine has applied. */
  private position = 0;
  private readonly waiting: (() => void)[] = [];
  private loops: readonly (Loop | LogFollower)[] = [];

  constructor(
    private readonly engine: DeliveryEngine,
    private readonly tails: Tails,
    private readonly reader: LogReader,
    private readonly followers: ConsumerFollowers,
    private readonly report: DeliveryReport,
    @Inject(DELIVERY_SETTINGS) private readonly settings: Settings['delivery'],
  ) {}

  /** Changes before the claim are in the read model, those after it come from the log: none is missed in between. */
  async start(): Promise<void> {
    this.started = true;
    const tail = await this.tails.follow(CONSUMERS_LOG);
    this.position = tail.head;
    this.tails.unfollow(tail);
    await this.engine.start();
    this.followers.register({
      caughtUp: () => this.caughtUp(),
      withhold: (consumers) => this.engine.withhold(consumers),
    });
    // The heartbeat has its own loop: the other one may have many lanes to start, and the worker must not count as dead meanwhile.
    this.loops = [
      this.everyBeat('delivery-heartbeat', 'heartbeat', () => this.engine.beat()),
      this.everyBeat('delivery-lanes', 'lanes', () => this.engine.takeOver()),
      this.consumerFollower(),
    ];
    for (const loop of this.loops) loop.start();
  }

  /** A tenant opened or closed; null: each may have. */
  tenantChanged(tenantId: string | null): void {
    if (!this.started) return;
    if (tenantId === null) this.engine.tenantsChanged();
    else this.engine.tenantChanged(tenantId);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const wake of this.waiting.splice(0)) wake();
    await Promise.all(this.loops.map((loop) => loop.close()));
    await this.engine.close();
  }

  private everyBeat(name: string, what: string, runOnce: () => Promise<void>): Loop {
    return new Loop({
      name,
      restsFirst: true,
      every: () => this.settings.heartbeatMs,
      runOnce,
      onError: (error) => this.report.engineFailed(error, what),
    });
  }

  /** Resolves when the engine knows of all changes of consumers that were stored before the call. */
  private async caughtUp(): Promise<void> {
    const heads = await this.reader.heads(CONSUMERS_LOG.tenantId, [CONSUMERS_LOG.topicUid]);
    const head = heads.get(CONSUMERS_LOG.topicUid) ?? 0;
    while (this.position < head && !this.closed) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private consumerFollower(): LogFollower {
    return new LogFollower(this.tails, {
      name: 'delivery-consumers',
      log: CONSUMERS_LOG,
      oneByOne: false,
      from: () => this.position,
      handle: (events) => this.consumersChanged(events),
      backOff: RETRY,
      onError: (error) => this.report.engineFailed(error, 'changes of consumers'),
    });
  }

  private async consumersChanged(events: readonly StoredEvent[]): Promise<void> {
    await this.engine.consumersChanged(events);
    this.position = events.at(-1)!.position;
    for (const wake of this.waiting.splice(0)) wake();
  }
}
