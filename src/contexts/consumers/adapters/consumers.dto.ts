import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
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
import { ChosenId } from '../../../platform/http/list-query.js';
import { parsePlace, type Place } from '../../topics/index.js';

const TOPICS_MAX = 100;
const DAY_MS = 86_400_000;

const whole = (minimum: number, maximum: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: Number, minimum, maximum }),
    IsOptional(),
    IsInt(),
    Min(minimum),
    Max(maximum),
  );

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

export class RetryDto {
  @ApiPropertyOptional({ enum: ['exponential', 'linear', 'fixed', 'schedule'], default: 'exponential' })
  @WhenGiven()
  @IsIn(['exponential', 'linear', 'fixed', 'schedule'])
  readonly strategy?: 'exponential' | 'linear' | 'fixed' | 'schedule';

  @whole(10, DAY_MS)
  readonly initialDelayMs?: number;

  @whole(10, DAY_MS)
  readonly maxDelayMs?: number;

  @ApiPropertyOptional({ minimum: 1, maximum: 100, default: 2 })
  @WhenGiven()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(1)
  @Max(100)
  readonly multiplier?: number;

  @ApiPropertyOptional({ minimum: 0, maximum: 1, default: 0.1, description: 'Share of the delay that chance may add.' })
  @WhenGiven()
  @IsNumber({ allowNaN: false, allowInfinity: false })
  @Min(0)
  @Max(1)
  readonly jitter?: number;

  @whole(1, 1_000)
  readonly maxAttempts?: number;

  @whole(1, 30 * 86_400)
  readonly maxAgeSeconds?: number;

  @ApiPropertyOptional({ type: [Number], description: 'Delays of the strategy `schedule`; the last one is repeated.' })
  @ValidateIf(({ strategy, scheduleMs }: RetryDto) => strategy === 'schedule' || scheduleMs !== undefined)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @IsInt({ each: true })
  @Min(0, { each: true })
  @Max(DAY_MS, { each: true })
  readonly scheduleMs?: number[];
}

/** What registering and changing have in common. */
class ConsumerFields {
  @ApiPropertyOptional({ type: String, maxLength: 200, nullable: true })
  @IsOptional()
  @IsString()
  @MaxLength(200)
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
}
