import { ApiProperty } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { CountField, pageOf, TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
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
  @ApiProperty({ example: EXAMPLE.topicId })
  readonly id!: string;
  @ApiProperty({ type: String, nullable: true, example: 'What is ordered.' })
  readonly description!: string | null;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

export class TopicDto extends TopicSummaryDto {
  @CountField({ description: 'The first position that still exists; 1 for a new topic.' })
  readonly firstPosition!: number;
  @CountField({ example: 200, description: '0 for a topic without events.' })
  readonly lastPosition!: number;
  @CountField({ example: 200 })
  readonly eventCount!: number;
  @CountField({ example: 24_576, description: 'Bytes of data and metadata.' })
  readonly bytes!: number;
}

export class TopicPage extends pageOf(TopicSummaryDto) {}

export const toTopicSummary = ({
  topicId,
  description,
  version,
  createdAt,
  updatedAt,
}: Omit<TopicView, 'namespaceUid'>): TopicSummaryDto => ({
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
