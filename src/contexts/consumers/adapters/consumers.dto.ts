import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  registerDecorator,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { CHOSEN_ID } from '../../../kernel/ids.js';
import { judgeHeaders } from '../../../platform/egress/index.js';
import { PlainText } from '../../../platform/http/field-rules.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { RetryDto } from '../../tenancy/index.js';
import { parsePlace, type Place } from '../../topics/index.js';
import { RunsOnDto } from './consumer-view.dto.js';

const TOPICS_MAX = 100;

/** A patch may leave a field out, but null means nothing for it. */
const WhenGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

const IsPlace = (): PropertyDecorator => (target, property) =>
  registerDecorator({
    name: 'isPlace',
    target: target.constructor,
    propertyName: property as string,
    validator: {
      validate: (value) => parsePlace(value) !== undefined,
      defaultMessage: () => 'must be "beginning", "latest", {"eventId"}, {"position"} or {"time"}',
    },
  });

const AreHeaders =
  (rules: { allowNull: boolean }): PropertyDecorator =>
  (target, property) =>
    registerDecorator({
      name: 'areHeaders',
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value) => judgeHeaders(value, rules) === null,
        defaultMessage: (context) => judgeHeaders(context?.value, rules) ?? 'is not valid',
      },
    });

export class TopicSubscriptionDto {
  @ApiProperty({ example: 'orders' })
  @Matches(CHOSEN_ID, { message: 'must be the id of a topic' })
  readonly topic!: string;

  @ApiPropertyOptional({
    description: 'Where to begin: "beginning", "latest" (default), {"eventId"}, {"position"} or {"time"}.',
    oneOf: [{ type: 'string', enum: ['beginning', 'latest'] }, { type: 'object' }],
  })
  @WhenGiven()
  @IsPlace()
  readonly startFrom?: Place;
}

/** What registering and changing have in common. */
class ConsumerFields {
  @ApiPropertyOptional({ type: String, maxLength: 200, nullable: true })
  @IsOptional()
  @PlainText(200)
  readonly name?: string | null;

  @ApiPropertyOptional({
    type: String,
    maxLength: 128,
    nullable: true,
    description: 'Sent as X-Correlation-ID; a UUID v4 where it is missing.',
  })
  @IsOptional()
  @Matches(/^[\x21-\x7e]{1,128}$/, { message: 'must be 1 to 128 visible ASCII characters' })
  readonly correlationId?: string | null;

  @ApiPropertyOptional({ enum: ['topic'], default: 'topic', description: 'Strictly one after another.' })
  @WhenGiven()
  @IsIn(['topic'])
  readonly ordering?: 'topic';

  @ApiPropertyOptional({
    enum: ['block'],
    default: 'block',
    description: 'An event whose retries are used up holds its topic.',
  })
  @WhenGiven()
  @IsIn(['block'])
  readonly onExhausted?: 'block';

  @ApiPropertyOptional({ type: Number, minimum: 100, maximum: 30_000, default: 15_000 })
  @WhenGiven()
  @IsInt()
  @Min(100)
  @Max(30_000)
  readonly timeoutMs?: number;
}

export class RegisterConsumerBody extends ConsumerFields {
  @ChosenId()
  readonly id?: string;

  @ApiProperty({ example: 'https://shop.example/webhooks', maxLength: 2_048 })
  @IsString()
  @MaxLength(2_048)
  readonly url!: string;

  @ApiProperty({ type: [TopicSubscriptionDto], minItems: 1, maxItems: TOPICS_MAX })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(TOPICS_MAX)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => TopicSubscriptionDto)
  readonly topics!: TopicSubscriptionDto[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Sent with each delivery; kept encrypted.',
  })
  @WhenGiven()
  @AreHeaders({ allowNull: false })
  readonly headers?: Record<string, string>;

  @ApiPropertyOptional({ type: RetryDto })
  @WhenGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => RetryDto)
  readonly retry?: RetryDto;
}

export class PatchConsumerBody extends ConsumerFields {
  @ApiPropertyOptional({ maxLength: 2_048 })
  @WhenGiven()
  @IsString()
  @MaxLength(2_048)
  readonly url?: string;

  @ApiPropertyOptional({
    type: [TopicSubscriptionDto],
    description: 'The whole list as it shall be; topics that stay keep their place.',
  })
  @WhenGiven()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(TOPICS_MAX)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => TopicSubscriptionDto)
  readonly topics?: TopicSubscriptionDto[];

  @ApiPropertyOptional({ type: 'object', nullable: true, additionalProperties: { type: 'string', nullable: true } })
  @IsOptional()
  @AreHeaders({ allowNull: true })
  readonly headers?: Record<string, string | null> | null;

  @ApiPropertyOptional({ type: RetryDto, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RetryDto)
  readonly retry?: RetryDto | null;

  @ApiPropertyOptional({
    type: RunsOnDto,
    description:
      'Whose right it shall run on: your own, or, with `permission:grant`, that of somebody who may read its topics.',
  })
  @WhenGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => RunsOnDto)
  readonly runsOn?: RunsOnDto;
}
