import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { normalUrl } from '../../../platform/egress/index.js';
import { Reference } from '../../../platform/http/field-rules.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { ConsumerView } from '../application/ports.js';
import { restOf } from '../domain/consumer.js';
import { RetryDto } from '../../tenancy/index.js';

class SubscribedTopicDto {
  @ApiProperty()
  readonly topic!: string;
}

export class RunsOnDto {
  @ApiProperty({ example: 'usr_01k0w3t5m8q2v7x9z4b6d8f0g2' })
  @Reference(64)
  readonly user!: string;
}

export class ConsumerDto {
  @ApiProperty({ example: 'con_01k0w3t5m8q2v7x9z4b6d8f0g2' })
  readonly id!: string;
  @ApiProperty({ type: String, nullable: true })
  readonly name!: string | null;
  @ApiProperty({ description: 'As it is used: `http:\\\\0x7f.1` is shown as `http://127.0.0.1/`.' })
  readonly url!: string;
  @ApiProperty({ type: [SubscribedTopicDto] })
  readonly topics!: SubscribedTopicDto[];
  @ApiProperty()
  readonly correlationId!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Names; values are not shown.',
  })
  readonly headers!: Record<string, string>;
  @ApiProperty({ enum: ['topic'] })
  readonly ordering!: 'topic';
  @ApiProperty({ enum: ['block'] })
  readonly onExhausted!: 'block';
  @ApiProperty({ type: RetryDto })
  readonly retry!: object;
  @ApiProperty()
  readonly timeoutMs!: number;
  @ApiProperty({ enum: ['active', 'paused'] })
  readonly state!: 'active' | 'paused';
  @ApiProperty({
    type: RunsOnDto,
    nullable: true,
    description:
      'Whose right to read the topics it runs on: it pauses where that is gone. Null: nobody knows any more.',
  })
  readonly runsOn!: RunsOnDto | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description:
      '`requested`, `gone` where the endpoint answered 410, `no-longer-permitted` where the right is gone that it runs on, or `topics-deleted` where none of its topics is left.',
  })
  readonly pauseReason!: string | null;
  @ApiProperty()
  readonly version!: number;
  @ApiProperty({ format: 'date-time' })
  readonly createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  readonly updatedAt!: string;
}

export class RegisteredConsumerDto extends ConsumerDto {
  @ApiPropertyOptional({
    description: 'Signs the deliveries (Standard Webhooks). Shown this once.',
    example: 'whsec_…',
  })
  readonly secret!: string;
}

export class ConsumerPage {
  @ApiProperty({ type: [ConsumerDto] })
  readonly items!: ConsumerDto[];
  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

const HIDDEN = '[hidden]';

export const toRunsOn = ({ runsOn }: ConsumerView): RunsOnDto | null => (runsOn === null ? null : { user: runsOn });

export function toConsumerDto(consumer: ConsumerView): ConsumerDto {
  const { name, url, correlationId, headerNames, retry, timeoutMs } = consumer.settings;
  const { state, reason } = restOf(consumer);
  return {
    id: consumer.consumerId,
    name,
    // One of before was kept as it was typed.
    url: normalUrl(url),
    topics: consumer.topics.map(({ topicId }) => ({ topic: topicId })),
    correlationId,
    headers: Object.fromEntries(headerNames.map((header) => [header, HIDDEN])),
    ordering: 'topic',
    onExhausted: 'block',
    retry,
    timeoutMs,
    state,
    runsOn: toRunsOn(consumer),
    pauseReason: reason,
    version: consumer.version,
    createdAt: isoTime(consumer.createdAt),
    updatedAt: isoTime(consumer.updatedAt),
  };
}
