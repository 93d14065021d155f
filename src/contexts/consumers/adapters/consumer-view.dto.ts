import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';
import { CountField, pageOf, TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { isoTime } from '../../../platform/http/resource.js';
import { RunsOnDto } from '../../../platform/http/runs-on.dto.js';
import type { ShownConsumer } from '../application/ports.js';
import { shownState } from '../domain/consumer.js';

class SubscribedTopicDto {
  @ApiProperty({ example: EXAMPLE.topicId })
  readonly topic!: string;
}

/** The whole policy that applies. */
class RetryPolicyDto implements RetryPolicy {
  @ApiProperty({ enum: ['exponential', 'linear', 'fixed', 'schedule'] })
  readonly strategy!: RetryPolicy['strategy'];
  @CountField({ example: 1_000 })
  readonly initialDelayMs!: number;
  @CountField({ example: 3_600_000 })
  readonly maxDelayMs!: number;
  @ApiProperty({ example: 2 })
  readonly multiplier!: number;
  @ApiProperty({ example: 0.1, description: 'Share of the delay that may be added at random.' })
  readonly jitter!: number;
  @CountField({ example: 80 })
  readonly maxAttempts!: number;
  @CountField({ example: 259_200 })
  readonly maxAgeSeconds!: number;
  @ApiPropertyOptional({ type: 'array', items: { type: 'integer' }, description: 'Delays of the strategy `schedule`.' })
  readonly scheduleMs?: readonly number[];
}

export class ConsumerDto {
  @ApiProperty({ example: EXAMPLE.consumerId })
  readonly id!: string;
  @ApiProperty({ type: String, nullable: true, example: 'Warehouse' })
  readonly name!: string | null;
  @ApiProperty({
    example: 'https://shop.example/webhooks',
    description: 'As it is used: `http:\\\\0x7f.1` is shown as `http://127.0.0.1/`.',
  })
  readonly url!: string;
  @ApiProperty({ type: [SubscribedTopicDto] })
  readonly topics!: SubscribedTopicDto[];
  @ApiProperty({ example: 'warehouse-1', description: 'Sent as X-Correlation-ID.' })
  readonly correlationId!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { authorization: '[hidden]' },
    description: 'Names; values are not shown.',
  })
  readonly headers!: Record<string, string>;
  @ApiProperty({ enum: ['topic'] })
  readonly ordering!: 'topic';
  @ApiProperty({ enum: ['block'] })
  readonly onExhausted!: 'block';
  @ApiProperty({ type: RetryPolicyDto })
  readonly retry!: RetryPolicyDto;
  @CountField({ example: 15_000 })
  readonly timeoutMs!: number;
  @ApiProperty({ enum: ['active', 'paused'] })
  readonly state!: 'active' | 'paused';
  @ApiProperty({
    type: RunsOnDto,
    description: 'The user on whose right to read the topics it runs: it pauses when that right is gone.',
  })
  readonly runsOn!: RunsOnDto;
  @ApiProperty({
    type: String,
    nullable: true,
    description:
      '`requested`, `gone` if the endpoint answered 410, `no-longer-permitted` if the right that it runs on is gone, or `topics-deleted` if none of its topics is left.',
  })
  readonly pauseReason!: string | null;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

export class RegisteredConsumerDto extends ConsumerDto {
  @ApiProperty({
    description: 'Signs the deliveries (Standard Webhooks). Shown this once.',
    example: 'whsec_…',
  })
  readonly secret!: string;
}

export class ConsumerPage extends pageOf(ConsumerDto) {}

const HIDDEN = '[hidden]';

export function toConsumerDto(consumer: ShownConsumer): ConsumerDto {
  const { name, url, correlationId, headerNames, retry, timeoutMs } = consumer.settings;
  const { state, reason } = shownState(consumer);
  return {
    id: consumer.consumerId,
    name,
    url,
    topics: consumer.topics.map(({ topicId }) => ({ topic: topicId })),
    correlationId,
    headers: Object.fromEntries(headerNames.map((header) => [header, HIDDEN])),
    ordering: 'topic',
    onExhausted: 'block',
    retry,
    timeoutMs,
    state,
    runsOn: { user: consumer.runsOn },
    pauseReason: reason,
    version: consumer.version,
    createdAt: isoTime(consumer.createdAt),
    updatedAt: isoTime(consumer.updatedAt),
  };
}
