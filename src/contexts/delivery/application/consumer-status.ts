import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { Clock } from '../../../kernel/clock.js';
import { isCode, messageOf } from '../../../kernel/domain-error.js';
import { LogReader } from '../../../platform/event-log/index.js';
import {
  ConsumerCatalog,
  consumerNotFound,
  shownState,
  type ConsumerRef,
  type ConsumerView,
} from '../../consumers/index.js';
import { TenantGates } from '../../tenancy/index.js';
import { currentFailure, dueAt, type DeliveryError, type LaneGap, type LaneState } from '../domain/lane.js';
import { LaneStore } from './ports.js';

export interface LaneStatus {
  readonly topicId: string;
  readonly position: number;
  readonly lastEventId: string | null;
  readonly lagEvents: number;
  /** Age of the first event that was not delivered. */
  readonly lagSeconds: number;
  readonly state: 'following' | 'retrying' | 'blocked';
  readonly attempt: number;
  readonly nextAttemptAt: number | null;
  readonly lastError: DeliveryError | null;
  readonly gap: LaneGap | null;
}

export interface ConsumerStatus {
  readonly consumer: ConsumerView;
  readonly state: 'active' | 'paused' | 'degraded' | 'suspended';
  readonly reason: string | null;
  readonly lanes: readonly LaneStatus[];
}

export class GetConsumerStatus extends Query<ConsumerStatus> {
  constructor(readonly consumer: ConsumerRef) {
    super();
  }
}

/** Read from the checkpoints, so that every instance shows the same, at most one checkpoint interval old. */
@QueryHandler(GetConsumerStatus)
export class GetConsumerStatusHandler implements IQueryHandler<GetConsumerStatus> {
  constructor(
    private readonly consumers: ConsumerCatalog,
    private readonly lanes: LaneStore,
    private readonly reader: LogReader,
    private readonly clock: Clock,
    private readonly tenants: TenantGates,
  ) {}

  async execute({ consumer: ref }: GetConsumerStatus): Promise<ConsumerStatus> {
    const consumer = await this.consumers.find(ref);
    if (!consumer) throw consumerNotFound(ref);
    const stored = await this.lanes.ofConsumer(consumer.tenantId, consumer.consumerUid);
    const heads = await this.reader.heads(
      ref.tenantId,
      consumer.topics.map(({ topicUid }) => topicUid),
    );
    const lanes: LaneStatus[] = [];
    for (const { topicId, topicUid } of consumer.topics) {
      const lane = stored.find((other) => other.topicUid === topicUid);
      if (lane)
        lanes.push(await this.laneStatus(consumer, { topicId, topicUid, head: heads.get(topicUid) ?? 0 }, lane.state));
    }
    const gate = await this.tenants.of(ref.tenantId);
    if (gate?.state === 'suspended') return { consumer, ...TENANT_SUSPENDED, lanes };
    const overall = stateOf(consumer, lanes);
    const unreadable = overall.state === 'paused' ? undefined : await this.unreadable(consumer);
    return { consumer, ...overall, ...unreadable, lanes };
  }

  /** Unreadable secrets: nothing is even tried, so no lane shows the failure. */
  private async unreadable(consumer: ConsumerView): Promise<Pick<ConsumerStatus, 'state' | 'reason'> | undefined> {
    try {
      await this.consumers.secretsOf(consumer);
      return undefined;
    } catch (error) {
      if (!isCode(error, 'consumer-secrets-unreadable')) throw error;
      return { state: 'degraded', reason: messageOf(error) };
    }
  }

  private async laneStatus(
    { tenantId, version }: ConsumerView,
    { topicId, topicUid, head }: { topicId: string; topicUid: string; head: number },
    state: LaneState,
  ): Promise<LaneStatus> {
    const lagEvents = Math.max(0, head - state.position);
    const oldest = lagEvents === 0 ? undefined : await this.reader.at({ tenantId, topicUid }, state.position + 1);
    const failure = currentFailure(state, version);
    const now = this.clock.now();
    return {
      topicId,
      position: state.position,
      lastEventId: state.lastEventId,
      lagEvents,
      lagSeconds: oldest ? Math.max(0, now - oldest.recordedAt) / 1_000 : 0,
      state: !failure ? 'following' : failure.blocked ? 'blocked' : 'retrying',
      attempt: failure?.attempt ?? 0,
      nextAttemptAt: failure && !failure.blocked ? dueAt(failure, now) : null,
      lastError: state.failure?.error ?? null,
      gap: state.gap,
    };
  }
}

const TENANT_SUSPENDED = { state: 'suspended', reason: 'the tenant is suspended' } as const;

function stateOf(consumer: ConsumerView, lanes: readonly LaneStatus[]): Pick<ConsumerStatus, 'state' | 'reason'> {
  const rest = shownState(consumer);
  if (rest.state === 'paused') return rest;
  const blocked = lanes.find(({ state }) => state === 'blocked');
  if (blocked)
    return {
      state: 'degraded',
      reason: `retries are used up on topic ${blocked.topicId}; resume the consumer to try again`,
    };
  const retrying = lanes.find(({ state }) => state === 'retrying');
  if (retrying)
    return {
      state: 'degraded',
      reason: `deliveries fail on topic ${retrying.topicId}: ${retrying.lastError?.message}`,
    };
  return { state: 'active', reason: null };
}
