import type { StoredEvent } from '../../../platform/event-log/index.js';
import { ConsumerCatalog, type ConsumerView } from '../../consumers/index.js';
import { TopicCatalog } from '../../topics/index.js';
import { Checkpoints } from './checkpoints.js';
import { Lane, type LaneTools } from './lane.js';
import type { Membership } from './membership.js';
import { LaneStore, type ClaimedLane, type LaneKey } from './ports.js';
import { WebhookTarget } from './webhook-request.js';

export interface EngineOptions {
  readonly checkpointIntervalMs: number;
  readonly onError: (error: unknown, what: string) => void;
}

/** How long an attempt under way may take to finish when its consumer changes, and when the process stops. */
const CHANGE_GRACE_MS = 1_000;
const SHUTDOWN_GRACE_MS = 5_000;

const laneName = ({ consumerUid, topicUid }: LaneKey): string => `${consumerUid} ${topicUid}`;

/**
 * Runs the lanes that this worker owns. A lane is owned by the worker whose id and epoch its row bears; the engine claims what nobody
 * alive owns, at start, with each beat, and when a consumer is registered. A changed consumer gets new lanes in place of the old ones:
 * they go on from the state of the old ones, so nothing is lost or repeated.
 */
export class DeliveryEngine {
  private readonly lanes = new Map<string, Lane>();
  /** Owned, but not running: their consumers are paused. */
  private readonly resting = new Map<string, ClaimedLane>();
  readonly checkpoints: Checkpoints;
  private turn: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly store: LaneStore,
    private readonly consumers: ConsumerCatalog,
    private readonly topics: TopicCatalog,
    private readonly membership: Membership,
    private readonly tools: LaneTools,
    private readonly options: EngineOptions,
  ) {
    const { onError, checkpointIntervalMs } = options;
    this.checkpoints = new Checkpoints(
      store,
      checkpointIntervalMs,
      (lane) => void this.inTurn(() => this.retire(lane)),
      (error) => onError(error, 'checkpoint'),
    );
  }

  get running(): Iterable<Lane> {
    return this.lanes.values();
  }

  get runningCount(): number {
    return this.lanes.size;
  }

  async start(): Promise<void> {
    this.checkpoints.start();
    await this.tick();
  }

  /** Shows that the worker lives and takes over what nobody owns. */
  tick(): Promise<void> {
    return this.inTurn(async () => {
      if (this.membership.expired) await this.surrender();
      const live = await this.membership.beat();
      await this.claim(live);
    });
  }

  /** A management event of a consumer: what runs is brought in line with what is registered. */
  consumerChanged(event: StoredEvent): Promise<void> {
    return this.inTurn(async () => {
      if (event.type === 'consumer.deleted') {
        await this.retireAll((JSON.parse(event.data) as { consumerUid: string }).consumerUid);
        return;
      }
      const [tenantId, namespaceId, consumerId] = event.stream!.split('/') as [string, string, string];
      const consumer = await this.consumers.find({ tenantId, namespaceId, consumerId });
      if (!consumer) return;
      await this.reconcile(consumer);
      await this.claim(await this.membership.beat());
    });
  }

  /** Attempts under way are ended, uncounted; places are stored; the lanes are free for others. */
  async close(): Promise<void> {
    this.closed = true;
    await this.turn.catch(() => undefined);
    await Promise.all([...this.lanes.values()].map((lane) => lane.stop(SHUTDOWN_GRACE_MS)));
    await this.checkpoints.close();
    await this.store.leave(this.membership.workerId);
  }

  /** One change at a time: a claim and a change of a consumer never interleave. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(async () => {
      if (this.closed) return;
      await work().catch((error: unknown) => this.options.onError(error, 'lanes'));
    });
    return this.turn;
  }

  private async claim(live: readonly string[]): Promise<void> {
    const claimed = await this.store.claim(this.membership.workerId, live);
    const byConsumer = Map.groupBy(claimed, ({ tenantId, consumerUid }) => `${tenantId} ${consumerUid}`);
    for (const lanes of byConsumer.values()) {
      const [{ tenantId, consumerUid }] = lanes as [ClaimedLane];
      const consumer = await this.consumers.findByUid(tenantId, consumerUid);
      if (consumer) await this.run(consumer, lanes);
    }
  }

  private async reconcile(consumer: ConsumerView): Promise<void> {
    const wanted = new Set(consumer.topics.map(({ topicUid }) => topicUid));
    const owned: ClaimedLane[] = [];
    const running = [...this.lanes.values()].filter(({ key }) => key.consumerUid === consumer.consumerUid);
    await Promise.all(running.map((lane) => this.retire(lane)));
    owned.push(...running.map((lane) => lane.snapshot));
    for (const [name, lane] of this.resting) {
      if (lane.consumerUid !== consumer.consumerUid) continue;
      this.resting.delete(name);
      owned.push(lane);
    }
    await this.checkpoints.flush();
    await this.run(
      consumer,
      owned.filter(({ topicUid }) => wanted.has(topicUid)),
    );
  }

  private async run(consumer: ConsumerView, claimed: readonly ClaimedLane[]): Promise<void> {
    if (claimed.length === 0) return;
    if (consumer.status === 'paused') {
      for (const lane of claimed) this.resting.set(laneName(lane), lane);
      return;
    }
    const target = new WebhookTarget(consumer, await this.consumers.secretsOf(consumer));
    const topics = await this.topics.findByUids(
      consumer.tenantId,
      claimed.map(({ topicUid }) => topicUid),
    );
    for (const { epoch, state, ...key } of claimed) {
      const topic = topics.find(({ topicUid }) => topicUid === key.topicUid);
      if (!topic) continue;
      const lane = new Lane({ ...key, epoch, state }, topic.topicId, target, this.tools, (changed) =>
        this.checkpoints.mark(changed),
      );
      this.lanes.set(laneName(key), lane);
      lane.start();
    }
  }

  /** Somebody else owns it, or it was removed. */
  private async retire(lane: Lane): Promise<void> {
    if (this.lanes.get(laneName(lane.key)) === lane) this.lanes.delete(laneName(lane.key));
    await lane.stop(CHANGE_GRACE_MS);
  }

  private async retireAll(consumerUid: string): Promise<void> {
    const running = [...this.lanes.values()].filter(({ key }) => key.consumerUid === consumerUid);
    await Promise.all(running.map((lane) => this.retire(lane)));
    for (const [name, lane] of this.resting) if (lane.consumerUid === consumerUid) this.resting.delete(name);
  }

  /** The store was away for so long that others may have our lanes. */
  private async surrender(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => this.retire(lane)));
    this.resting.clear();
    this.membership.rejoin();
  }
}
