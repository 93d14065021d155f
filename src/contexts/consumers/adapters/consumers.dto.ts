import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { headersContract, headersProblem, URL_LENGTH_MAX } from '../../../platform/egress/index.js';
import {
  Contract,
  IdOf,
  Length,
  Nested,
  NestedList,
  Pattern,
  PlainText,
  Rule,
  WhenGiven,
} from '../../../platform/http/field-rules.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { CHOSEN_ID_SCHEMA, describeIds } from '../../../platform/http/parameter-schemas.js';
import { RetryDto } from '../../../platform/http/retry.dto.js';
import { RunsOnDto } from '../../../platform/http/runs-on.dto.js';
import { parsePlace, PLACE_SCHEMA, REFERENCE, REFERENCE_CHARS_MAX, type Place } from '../../topics/index.js';

const TOPICS_MAX = 100;

describeIds({ consumers: CHOSEN_ID_SCHEMA });

const IsPlace = (): PropertyDecorator =>
  Rule({
    name: 'isPlace',
    schema: PLACE_SCHEMA,
    is: (value) => parsePlace(value) !== undefined,
    message: 'must be "beginning", "latest", {"eventId"}, {"position"} or {"time"}',
  });

const AreHeaders = (rules: { allowNull: boolean }): PropertyDecorator =>
  Rule({
    name: 'areHeaders',
    schema: headersContract(rules),
    is: (value) => headersProblem(value, rules) === null,
    message: (value) => headersProblem(value, rules) ?? 'is not valid',
  });

/** The deployment decides where it may lead. */
const IsUrl = (): PropertyDecorator =>
  applyDecorators(IsString(), Length(1, URL_LENGTH_MAX), Contract({ format: 'uri' })) as PropertyDecorator;

export class TopicSubscriptionDto {
  @ApiProperty({ example: 'orders' })
  @IdOf('topic')
  readonly topic!: string;

  @ApiPropertyOptional({
    description: 'Where to begin: "beginning", "latest" (default), {"eventId"}, {"position"} or {"time"}.',
  })
  @WhenGiven()
  @IsPlace()
  readonly startFrom?: Place;
}

/** What registering and changing have in common. */
class ConsumerFields {
  @IsOptional()
  @PlainText(200)
  readonly name?: string | null;

  @ApiPropertyOptional({ description: 'Sent as X-Correlation-ID; a UUID v4 where it is missing.' })
  @IsOptional()
  @Length(1, REFERENCE_CHARS_MAX)
  @Pattern(REFERENCE, 'must be visible ASCII characters without spaces')
  readonly correlationId?: string | null;

  @ApiPropertyOptional({ default: 'topic', description: 'Strictly one after another.' })
  @WhenGiven()
  @IsIn(['topic'])
  readonly ordering?: 'topic';

  @ApiPropertyOptional({ default: 'block', description: 'An event whose retries are used up blocks its topic.' })
  @WhenGiven()
  @IsIn(['block'])
  readonly onExhausted?: 'block';

  @ApiPropertyOptional({ default: 15_000 })
  @WhenGiven()
  @IsInt()
  @Min(100)
  @Max(30_000)
  readonly timeoutMs?: number;
}

export class RegisterConsumerBody extends ConsumerFields {
  @ChosenId()
  readonly id?: string;

  @ApiProperty({ example: 'https://shop.example/webhooks' })
  @IsUrl()
  readonly url!: string;

  @NestedList(() => TopicSubscriptionDto, 1, TOPICS_MAX)
  readonly topics!: TopicSubscriptionDto[];

  @ApiPropertyOptional({ description: 'Sent with each delivery; kept encrypted.' })
  @WhenGiven()
  @AreHeaders({ allowNull: false })
  readonly headers?: Record<string, string>;

  @WhenGiven()
  @Nested(() => RetryDto)
  readonly retry?: RetryDto;
}

export class PatchConsumerBody extends ConsumerFields {
  @WhenGiven()
  @IsUrl()
  readonly url?: string;

  @ApiPropertyOptional({ description: 'The complete new list; topics that stay keep their place.' })
  @WhenGiven()
  @NestedList(() => TopicSubscriptionDto, 1, TOPICS_MAX)
  readonly topics?: TopicSubscriptionDto[];

  @IsOptional()
  @AreHeaders({ allowNull: true })
  readonly headers?: Record<string, string | null> | null;

  @IsOptional()
  @Nested(() => RetryDto)
  readonly retry?: RetryDto | null;

  @ApiPropertyOptional({
    description:
      'The user on whose right it runs: you, or, with `permission:grant`, another user who may read its topics.',
  })
  @WhenGiven()
  @Nested(() => RunsOnDto)
  readonly runsOn?: RunsOnDto;
}
