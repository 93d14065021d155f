import { ApiProperty } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Prose } from '../../../platform/http/field-rules.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { TopicDetail } from '../application/topics.js';
import type { TopicView } from '../application/ports.js';

export class CreateTopicBody {
  @ChosenId()
  readonly id?: string;

  @IsOptional()
  @Prose(1_000)
  readonly description?: string | null;
}

export class PatchTopicBody {
  @IsOptional()
  @Prose(1_000)
  readonly description?: string | null;
}

export class TopicSummaryDto {
  @ApiProperty({ example: 'orders' })
  readonly id!: string;
  @ApiProperty({ type: String, nullable: true })
  readonly description!: string | null;
  @ApiProperty()
  readonly version!: number;
  @ApiProperty({ format: 'date-time' })
  readonly createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  readonly updatedAt!: string;
}

export class TopicDto extends TopicSummaryDto {
  @ApiProperty({ description: 'The first position that still exists; 1 for a new topic.' })
  readonly firstPosition!: number;
  @ApiProperty({ description: '0 for a topic without events.' })
  readonly lastPosition!: number;
  @ApiProperty()
  readonly eventCount!: number;
  @ApiProperty({ description: 'Bytes of data and metadata.' })
  readonly bytes!: number;
}

export class TopicPage {
  @ApiProperty({ type: [TopicSummaryDto] })
  readonly items!: TopicSummaryDto[];
  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

export const toTopicSummary = ({
  topicId,
  description,
  version,
  createdAt,
  updatedAt,
}: TopicView): TopicSummaryDto => ({
  id: topicId,
  description,
  version,
  createdAt: isoTime(createdAt),
  updatedAt: isoTime(updatedAt),
});

export const toTopicDto = (topic: TopicDetail): TopicDto => ({
  ...toTopicSummary(topic),
  firstPosition: topic.firstPosition,
  lastPosition: topic.lastPosition,
  eventCount: topic.eventCount,
  bytes: topic.bytes,
});
