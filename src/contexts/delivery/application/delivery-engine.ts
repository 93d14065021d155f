import { isCode } from '../../../kernel/domain-error.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import { consumerAggregate, ConsumerCatalog, type ConsumerView } from '../../consumers/index.js';
import type { TenantGates } from '../../tenancy/index.js';
import { TopicCatalog } from '../../topics/index.js';
import { Checkpoints } from './checkpoints.js';
import type { Membership } from './membership.js';
import {
  laneName,
  LaneRunner,
  LaneStore,
  type ClaimedLane,
  type LaneKey,
  type Recipient,
  type RunningLane,
} from './ports.js';

export interface EngineOptions {
  readonly checkpointIntervalMs: number;
  /** A consumer whose secrets cannot be read rests until it changes: trying again would not help. */
  readonly onUnreadable: (consumer: ConsumerView, error: unknown) => void;
  readonly onError: (error: unknown, what: string) => void;
}

/** How long an attempt under way may take to finish when its consumer changes, and when the process stops. */
const CHANGE_GRACE_MS = 1_000;
const SHUTDOWN_GRACE_MS = 5_000;
/** One at a time, starting thousands of consumers takes longer than a lease lasts. */
const LOOKUPS_AT_ONCE = 32;

/**
 * Runs the lanes that this worker owns. A lane is owned by the worker whose id and epoch are in its row; the engine claims lanes that no
 * live worker owns, at start, with each beat, and when a consumer is registered. A changed consumer gets new lanes in place of the old
 * ones: they continue from the state of the old ones, so nothing is lost or repeated.
 */
export class DeliveryEngine {
  private readonly lanes = new Map<string, RunningLane>();
  /** Owned and about to run. A lane leaves this map only when it runs or rests, so the next tick repairs a failure in between. */
  private readonly waiting = new Map<string, ClaimedLane>();
  /** Owned, but not running: their consumers are paused or unreadable, or their tenants closed. */
  private readonly resting = new Map<string, ClaimedLane>();
  /** Streams of consumers that must not run as of that version: they rest until a newer event arrives. */
  private readonly withheld = new Map<string, number>();
  readonly checkpoints: Checkpoints;
  private readonly changedTenants = new Set<string>();
  private turn: Promise<void> = Promise.resolve();
  /** A claim was sent without a reply: it may have taken effect. */
  private inDoubt = false;
  private closed = false;

  constructor(
    private readonly store: LaneStore,
    private readonly consumers: ConsumerCatalog,
    private readonly topics: TopicCatalog,
    private readonly tenants: Pick<TenantGates, 'of'>,
    private readonly membership: Membership,
    private readonly runner: LaneRunner,
    private readonly options: EngineOptions,
  ) {
    const { onError, checkpointIntervalMs } = options;
    // Others may have our lanes: nothing more is sent, and the next tick starts again.
    membership.onLapse = () => {
      for (const lane of this.lanes.values()) void lane.stop(0);
    };
    membership.onRenewed = (ms) => this.runner.renewLease(ms);
    runner.onLapse = () => membership.lapse();
    this.checkpoints = new Checkpoints(
      store,
      checkpointIntervalMs,
      (lane) => void this.inTurn(() => this.retire(lane)).catch((error: unknown) => onError(error, 'lanes')),
      (error) => onError(error, 'checkpoint'),
    );
  }

  get running(): Iterable<RunningLane> {
    return this.lanes.values();
  }

  get runningCount(): number {
    return this.lanes.size;
  }

  async start(): Promise<void> {
    this.checkpoints.start();
    await this.tick();
  }

  /** Shows that the worker is alive, and no more. */
  async beat(): Promise<void> {
    await this.membership.beat();
  }

  /** Shows that the worker is alive and takes over lanes without an owner. Rejects on failure; the next call repairs it. */
  takeOver(): Promise<void> {
    return this.inTurn(() => this.claimAndStart());
  }

  /** The same, for callers that do not wait: a failure is only reported. */
  tick(): Promise<void> {
    return this.takeOver().catch((error: unknown) => this.options.onError(error, 'lanes'));
  }

  /**
   * Management events of consumers: the running lanes are brought in line with what is registered. Events are handled together, because each
   * halted lane may have an attempt to finish. Rejects on failure; then the events must be passed again.
   */
  consumersChanged(events: readonly StoredEvent[]): Promise<void> {
    return this.inTurn(async () => {
      for (const { stream, streamVersion } of events)
        if (streamVersion! > (this.withheld.get(stream!) ?? Infinity)) this.withheld.delete(stream!);
      const uids = await this.uidsOf(events);
      await this.halt(({ consumerUid }) => uids.has(consumerUid));
      await this.claimAndStart();
    });
  }

  /** Nothing more is sent to these, although their pauses are not stored yet: storing a thousand takes seconds. */
  withhold(consumers: readonly ConsumerView[]): void {
    for (const consumer of consumers) this.withheld.set(streamOf(consumer), consumer.version);
    for (const lane of this.lanes.values()) if (this.isWithheld(lane.consumer)) void lane.stop(CHANGE_GRACE_MS);
    this.inTurn(() => this.restWithheld()).catch((error: unknown) => this.options.onError(error, 'lanes'));
  }

  /** A tenant was suspended, activated, or is being deleted: its lanes are reviewed by this tick or, if it fails, by the next. */
  tenantChanged(tenantId: string): void {
    this.changedTenants.add(tenantId);
    void this.tick();
  }

  /** Any tenant may have changed. */
  tenantsChanged(): void {
    for (const { key } of this.lanes.values()) this.changedTenants.add(key.tenantId);
    for (const { tenantId } of this.resting.values()) this.changedTenants.add(tenantId);
    void this.tick();
  }

  /** Ends attempts under way without counting them, stores positions, and frees the lanes for others. */
  async close(): Promise<void> {
    this.closed = true;
    await this.turn;
    await Promise.all([...this.lanes.values()].map((lane) => lane.stop(SHUTDOWN_GRACE_MS)));
    await this.checkpoints.close();
    this.membership.close();
    await this.store.leave(this.membership.workerId).catch((error: unknown) => this.options.onError(error, 'leaving'));
  }

  /** One change at a time: a claim and a change of a consumer never interleave. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(() => (this.closed ? undefined : work()));
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async uidsOf(events: readonly StoredEvent[]): Promise<Set<string>> {
    const uids = new Set<string>();
    const streams = new Set<string>();
    for (const { type, stream, data } of events) {
      if (type === 'consumer.deleted') uids.add((JSON.parse(data) as { consumerUid: string }).consumerUid);
      else streams.add(stream!);
    }
    await inBatches([...streams], async (stream) => {
      const [tenantId, namespaceId, consumerId] = stream.split('/') as [string, string, string];
      const consumer = await this.consumers.find({ tenantId, namespaceId, consumerId });
      if (consumer) uids.add(consumer.consumerUid);
    });
    return uids;
  }

  /** Running and resting lanes wait to be started again, from their current state. */
  private async halt(applies: (key: LaneKey) => boolean): Promise<void> {
    const running = [...this.lanes.values()].filter(({ key }) => applies(key));
    await Promise.all(running.map((lane) => this.retire(lane)));
    for (const lane of running) this.waiting.set(laneName(lane.key), lane.snapshot);
    for (const [name, lane] of this.resting) {
      if (!applies(lane)) continue;
      this.resting.delete(name);
      this.waiting.set(name, lane);
    }
    await this.checkpoints.flush();
  }

  private isWithheld(consumer: ConsumerView): boolean {
    return (this.withheld.get(streamOf(consumer)) ?? -1) >= consumer.version;
  }

  private async restWithheld(): Promise<void> {
    const lanes = [...this.lanes.values()].filter(({ consumer }) => this.isWithheld(consumer));
    await Promise.all(lanes.map((lane) => this.retire(lane)));
    for (const lane of lanes) this.resting.set(laneName(lane.key), lane.snapshot);
    await this.checkpoints.flush();
  }

  private async haltChangedTenants(): Promise<void> {
    if (this.changedTenants.size === 0) return;
    const changed = [...this.changedTenants];
    await this.halt(({ tenantId }) => changed.includes(tenantId));
    for (const tenantId of changed) this.changedTenants.delete(tenantId);
  }

  /** Shows that the worker is alive, claims lanes that no live worker owns, and starts those that wait. */
  private async claimAndStart(): Promise<void> {
    if (this.membership.expired || this.inDoubt) await this.surrender();
    const live = await this.membership.beat();
    await this.haltChangedTenants();
    this.inDoubt = true;
    const claimed = await this.store.claim(this.membership.workerId, live);
    this.inDoubt = false;
    for (const lane of claimed) {
      // A topic that left its consumer and came back has a new row; the lane of the old row may not have stopped yet.
      const outdated = this.lanes.get(laneName(lane));
      if (outdated) await this.retire(outdated);
      this.waiting.set(laneName(lane), lane);
    }
    const byConsumer = Map.groupBy(this.waiting.values(), ({ tenantId, consumerUid }) => `${tenantId} ${consumerUid}`);
    await inBatches([...byConsumer.values()], (lanes) => this.begin(lanes));
  }

  /** Starts lanes of one consumer: they run, rest, or are dropped where the consumer or its subscription to the topic is gone. */
  private async begin(lanes: readonly ClaimedLane[]): Promise<void> {
    const [{ tenantId, consumerUid }] = lanes as [ClaimedLane];
    const consumer = await this.consumers.findByUid(tenantId, consumerUid);
    const wanted = lanes.filter((lane) => consumer?.topics.some(({ topicUid }) => topicUid === lane.topicUid));
    const rests = consumer?.status === 'paused' || ((await this.tenants.of(tenantId))?.state ?? 'active') !== 'active';
    const recipient = consumer && !rests && wanted.length > 0 ? await this.recipientOf(consumer) : undefined;
    const started = recipient ? await this.lanesOf(recipient, wanted) : [];
    if (this.membership.expired) return; // others may have them by now
    for (const lane of lanes) this.waiting.delete(laneName(lane));
    if (!recipient || this.isWithheld(recipient.consumer)) {
      for (const lane of wanted) this.resting.set(laneName(lane), lane);
      return;
    }
    for (const lane of started) {
      this.lanes.set(laneName(lane.key), lane);
      lane.start();
    }
  }

  private async lanesOf(recipient: Recipient, claimed: readonly ClaimedLane[]): Promise<RunningLane[]> {
    const topics = await this.topics.findByUids(
      recipient.consumer.tenantId,
      claimed.map(({ topicUid }) => topicUid),
    );
    return claimed.flatMap((lane) => {
      const topic = topics.find(({ topicUid }) => topicUid === lane.topicUid);
      if (!topic) return [];
      const order = { claimed: lane, topicId: topic.topicId, recipient };
      return [this.runner.create(order, (changed) => this.checkpoints.mark(changed))];
    });
  }

  private async recipientOf(consumer: ConsumerView): Promise<Recipient | undefined> {
    try {
      return { consumer, secrets: await this.consumers.secretsOf(consumer) };
    } catch (error) {
      if (!isCode(error, 'consumer-secrets-unreadable')) throw error;
      this.options.onUnreadable(consumer, error);
      return undefined;
    }
  }

  /** Stops a lane and forgets it; the caller keeps its state. */
  private async retire(lane: RunningLane): Promise<void> {
    if (this.lanes.get(laneName(lane.key)) === lane) this.lanes.delete(laneName(lane.key));
    await lane.stop(CHANGE_GRACE_MS);
  }

  /** Gives up all lanes and starts again: others may have ours, or a claim without a reply gave us some. */
  private async surrender(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => this.retire(lane)));
    this.waiting.clear();
    this.resting.clear();
    await this.checkpoints.flush();
    await this.store.leave(this.membership.workerId);
    this.membership.rejoin();
    this.inDoubt = false;
  }
}

const streamOf = (consumer: ConsumerView): string => consumerAggregate.streamOf(consumer);

/**
 * A batch at a time; rejects with the first failure. The failure of one item does not stop the others; but while the store is away, each
 * further batch would only wait for it again.
 */
async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (let from = 0; from < items.length; from += LOOKUPS_AT_ONCE) {
    const outcomes = await Promise.allSettled(items.slice(from, from + LOOKUPS_AT_ONCE).map(work));
    for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
    if (failures.some((error) => isCode(error, 'store-unavailable'))) break;
  }
  if (failures.length > 0) throw failures[0];
}
