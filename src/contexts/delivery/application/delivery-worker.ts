import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { DELIVERY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { LogReader, Tails } from '../../../platform/event-log/index.js';
import { ConsumerFollowers } from '../../consumers/index.js';
import { DeliveryEngine } from './delivery-engine.js';
import { DeliveryReport } from './delivery-report.js';

const CONSUMERS_LOG = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };
const RETRY_MS = 1_000;

/** Runs the engine: beats its heart, and tells it what happens to consumers. */
@Injectable()
export class DeliveryWorker {
  private readonly stop = new AbortController();
  private started = false;
  /** The last change of a consumer that the engine acts by. */
  private position = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly loops: Promise<void>[] = [];

  constructor(
    private readonly engine: DeliveryEngine,
    private readonly tails: Tails,
    private readonly reader: LogReader,
    private readonly followers: ConsumerFollowers,
    private readonly report: DeliveryReport,
    @Inject(DELIVERY_SETTINGS) private readonly settings: Settings['delivery'],
  ) {}

  /** Changes from before the claim are in the read model, those from after it come by the log: none is missed in between. */
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
    this.loops.push(
      this.every(() => this.engine.beat()),
      this.every(() => this.engine.tick()),
      this.followConsumers(),
    );
  }

  /** A tenant opened or closed; null: each may have. */
  tenantChanged(tenantId: string | null): void {
    if (!this.started) return;
    if (tenantId === null) this.engine.tenantsChanged();
    else this.engine.tenantChanged(tenantId);
  }

  async close(): Promise<void> {
    this.stop.abort();
    for (const wake of this.waiting.splice(0)) wake();
    await Promise.all(this.loops);
    await this.engine.close();
  }

  /** Beats on their own: a tick may have much to begin, and must not be taken for dead meanwhile. */
  private async every(work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await pause(this.settings.heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await work().catch((error: unknown) => this.report.engineFailed(error, 'heartbeat'));
    }
  }

  /** Resolves when the engine knows of all changes of consumers that were stored before the call. */
  private async caughtUp(): Promise<void> {
    const heads = await this.reader.heads(CONSUMERS_LOG.tenantId, [CONSUMERS_LOG.topicUid]);
    const head = heads.get(CONSUMERS_LOG.topicUid) ?? 0;
    while (this.position < head && !this.stop.signal.aborted)
      await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private async followConsumers(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      try {
        await this.readOn(signal);
      } catch (error) {
        this.report.engineFailed(error, 'changes of consumers');
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async readOn(signal: AbortSignal): Promise<void> {
    const tail = await this.tails.follow(CONSUMERS_LOG);
    try {
      const page = await tail.read(this.position);
      if (page.length === 0) return await tail.waitBeyond(this.position, signal);
      await this.engine.consumersChanged(page);
      this.position = page.at(-1)!.position;
      for (const wake of this.waiting.splice(0)) wake();
    } finally {
      this.tails.unfollow(tail);
    }
  }
}
