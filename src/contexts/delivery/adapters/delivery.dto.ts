import { ApiProperty } from '@nestjs/swagger';
import { CountField, TimeField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { isoTime } from '../../../platform/http/resource.js';
import { RunsOnDto } from '../../../platform/http/runs-on.dto.js';
import type { SendOutcome } from '../../../platform/egress/index.js';
import type { ConsumerStatus, LaneStatus } from '../application/consumer-status.js';
import type { TestResult } from '../application/test-delivery.js';

/** How far a failed attempt got. */
const PHASES = ['refused', 'dns', 'connect', 'tls', 'timeout', 'response'];

class LagDto {
  @CountField()
  readonly events!: number;
  @ApiProperty({ minimum: 0, example: 0.25, description: 'Age of the oldest event that is not delivered yet.' })
  readonly seconds!: number;
}

class DeliveryErrorDto {
  @TimeField()
  readonly at!: string;
  @ApiProperty({ enum: PHASES, example: 'response' })
  readonly phase!: string;
  @ApiProperty({ type: 'integer', nullable: true, example: 503 })
  readonly status!: number | null;
  @ApiProperty({ example: 'the endpoint answered 503' })
  readonly message!: string;
}

class GapDto {
  @ApiProperty({ enum: ['missing-events', 'cursor-beyond-log', 'log-replaced'] })
  readonly kind!: string;
  @CountField({ example: 11 })
  readonly from!: number;
  @CountField({ example: 20 })
  readonly to!: number;
  @TimeField()
  readonly at!: string;
}

class TopicStatusDto {
  @ApiProperty({ example: EXAMPLE.topicId })
  readonly topic!: string;
  @ApiProperty({ type: String, nullable: true, example: EXAMPLE.eventId })
  readonly lastEventId!: string | null;
  @CountField({
    example: 199,
    description: 'The last event that was delivered or passed over, or after which delivery began; 0: none.',
  })
  readonly position!: number;
  @ApiProperty({ type: LagDto })
  readonly lag!: LagDto;
  @ApiProperty({ enum: ['following', 'retrying', 'blocked'] })
  readonly state!: string;
  @CountField({ example: 0, description: 'Attempts made at the event after `position`.' })
  readonly attempt!: number;
  @TimeField({ nullable: true, example: null })
  readonly nextAttemptAt!: string | null;
  @ApiProperty({ type: DeliveryErrorDto, nullable: true, example: null })
  readonly lastError!: DeliveryErrorDto | null;
  @ApiProperty({
    type: GapDto,
    nullable: true,
    example: null,
    description: 'The last positions that no longer existed when their turn came.',
  })
  readonly gap!: GapDto | null;
}

export class ConsumerStatusDto {
  @ApiProperty({ enum: ['active', 'paused', 'degraded', 'suspended'] })
  readonly state!: string;
  @ApiProperty({ type: String, nullable: true })
  readonly reason!: string | null;
  @ApiProperty({ example: 'warehouse-1' })
  readonly correlationId!: string;
  @ApiProperty({ type: RunsOnDto })
  readonly runsOn!: RunsOnDto;
  @ApiProperty({ type: [TopicStatusDto] })
  readonly topics!: TopicStatusDto[];
}

export class TestDeliveryDto {
  @ApiProperty({ example: true })
  readonly delivered!: boolean;
  @ApiProperty({ example: 'evt_01k9y2m4c0mnpqrstvwxyz0123' })
  readonly eventId!: string;
  @ApiProperty({ type: 'integer', nullable: true, example: 204 })
  readonly status!: number | null;
  @ApiProperty({
    type: String,
    enum: [...PHASES, null],
    nullable: true,
    example: null,
    description: 'Where it failed.',
  })
  readonly phase!: string | null;
  @ApiProperty({ type: String, nullable: true })
  readonly error!: string | null;
  @ApiProperty({ minimum: 0, example: 12.34 })
  readonly durationMs!: number;
}

export const toStatusDto = ({ consumer, state, reason, lanes }: ConsumerStatus): ConsumerStatusDto => ({
  state,
  reason,
  correlationId: consumer.settings.correlationId,
  runsOn: { user: consumer.runsOn },
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
