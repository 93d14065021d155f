import { ApiProperty } from '@nestjs/swagger';
import { isoTime } from '../../../platform/http/resource.js';
import { RunsOnDto, toRunsOn } from '../../consumers/index.js';
import type { SendOutcome } from '../../../platform/egress/index.js';
import type { ConsumerStatus, LaneStatus } from '../application/consumer-status.js';
import type { TestResult } from '../application/test-delivery.js';

class LagDto {
  @ApiProperty()
  readonly events!: number;
  @ApiProperty({ description: 'Age of the oldest event that is not delivered yet.' })
  readonly seconds!: number;
}

class DeliveryErrorDto {
  @ApiProperty({ format: 'date-time' })
  readonly at!: string;
  @ApiProperty({ enum: ['refused', 'dns', 'connect', 'tls', 'timeout', 'response'] })
  readonly phase!: string;
  @ApiProperty({ type: Number, nullable: true })
  readonly status!: number | null;
  @ApiProperty()
  readonly message!: string;
}

class GapDto {
  @ApiProperty({ enum: ['missing-events', 'cursor-beyond-log', 'log-replaced'] })
  readonly kind!: string;
  @ApiProperty()
  readonly from!: number;
  @ApiProperty()
  readonly to!: number;
  @ApiProperty({ format: 'date-time' })
  readonly at!: string;
}

class TopicStatusDto {
  @ApiProperty()
  readonly topic!: string;
  @ApiProperty({ type: String, nullable: true })
  readonly lastEventId!: string | null;
  @ApiProperty()
  readonly position!: number;
  @ApiProperty({ type: LagDto })
  readonly lag!: LagDto;
  @ApiProperty({ enum: ['following', 'retrying', 'blocked'] })
  readonly state!: string;
  @ApiProperty({ description: 'Attempts made at the event after `position`.' })
  readonly attempt!: number;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  readonly nextAttemptAt!: string | null;
  @ApiProperty({ type: DeliveryErrorDto, nullable: true })
  readonly lastError!: DeliveryErrorDto | null;
  @ApiProperty({
    type: GapDto,
    nullable: true,
    description: 'The last positions that did not exist any more when their turn came.',
  })
  readonly gap!: GapDto | null;
}

export class ConsumerStatusDto {
  @ApiProperty({ enum: ['active', 'paused', 'degraded', 'suspended'] })
  readonly state!: string;
  @ApiProperty({ type: String, nullable: true })
  readonly reason!: string | null;
  @ApiProperty()
  readonly correlationId!: string;
  @ApiProperty({ type: RunsOnDto, nullable: true })
  readonly runsOn!: RunsOnDto | null;
  @ApiProperty({ type: [TopicStatusDto] })
  readonly topics!: TopicStatusDto[];
}

export class TestDeliveryDto {
  @ApiProperty()
  readonly delivered!: boolean;
  @ApiProperty()
  readonly eventId!: string;
  @ApiProperty({ type: Number, nullable: true })
  readonly status!: number | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Where it failed: refused, dns, connect, tls, timeout or response.',
  })
  readonly phase!: string | null;
  @ApiProperty({ type: String, nullable: true })
  readonly error!: string | null;
  @ApiProperty()
  readonly durationMs!: number;
}

export const toStatusDto = ({ consumer, state, reason, lanes }: ConsumerStatus): ConsumerStatusDto => ({
  state,
  reason,
  correlationId: consumer.settings.correlationId,
  runsOn: toRunsOn(consumer),
  topics: lanes.map(toTopicStatus),
});

const toTopicStatus = (lane: LaneStatus): TopicStatusDto => ({
  topic: lane.topicId,
  lastEventId: lane.lastEventId,
  position: lane.position,
  lag: { events: lane.lagEvents, seconds: lane.lagSeconds },
  state: lane.state,
  attempt: lane.attempt,
  nextAttemptAt: lane.nextAttemptAt === null ? null : isoTime(lane.nextAttemptAt),
  lastError: lane.lastError && { ...lane.lastError, at: isoTime(lane.lastError.at) },
  gap: lane.gap && { ...lane.gap, at: isoTime(lane.gap.at) },
});

export function toTestDto({ outcome, eventId }: TestResult): TestDeliveryDto {
  return { eventId, ...describe(outcome) };
}

function describe(outcome: SendOutcome): Omit<TestDeliveryDto, 'eventId'> {
  switch (outcome.kind) {
    case 'response': {
      const { status, durationMs } = outcome;
      const delivered = status >= 200 && status < 300;
      const error = delivered ? null : `the endpoint answered ${status}`;
      return { delivered, status, phase: delivered ? null : 'response', error, durationMs };
    }
    case 'failure':
      return {
        delivered: false,
        status: null,
        phase: outcome.phase,
        error: outcome.error,
        durationMs: outcome.durationMs,
      };
    default:
      return { delivered: false, status: null, phase: null, error: 'the server is stopping', durationMs: 0 };
  }
}
