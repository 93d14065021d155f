import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { ACTION_PATTERNS, ACTIONS, type Action } from '../../../kernel/actions.js';
import { ADDRESS_OR_RANGE } from '../../../kernel/address-ranges.js';
import { EmailField } from '../../../platform/http/email-field.js';
import {
  Contract,
  IdOf,
  Length,
  Nested,
  PlainText,
  Prose,
  Reference,
  Rfc3339,
  Rule,
  WhenGiven,
} from '../../../platform/http/field-rules.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { CHOSEN_ID_SCHEMA, describeIds, generatedId } from '../../../platform/http/parameter-schemas.js';
import { Related } from '../../../platform/http/request-schemas.js';
import { CLOCK_TIME, DAYS, EVENT_TYPES, type Constraints, type Day } from '../domain/constraints.js';
import { PATTERN_CHARS_MAX, RESOURCE_PATH, RESOURCE_PATTERN } from '../domain/resource-pattern.js';

/** The domain decides what they may be; `contract` is built from its constants. */
const texts = (most: number, contract: object, description: string, example: string[]): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ description, example }),
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(most),
    IsString({ each: true }),
    Length(1, TEXT_MAX, { each: true }),
    Contract({ type: 'string', ...contract }, { each: true }),
  ) as PropertyDecorator;

describeIds({
  members: generatedId('usr'),
  roles: CHOSEN_ID_SCHEMA,
  groups: CHOSEN_ID_SCHEMA,
  permissions: generatedId('grt'),
});

const TEXT_MAX = 256;
const ANY_ACTION = { enum: ['*', ...ACTION_PATTERNS] };
const ACTIONS_NOTE = 'Actions, or all of a kind: topic:*';

export class MemberBody {
  @ApiPropertyOptional({ example: ['developer'], description: 'In the whole tenant; without it none.' })
  @WhenGiven()
  @IsArray()
  @ArrayMaxSize(20)
  @Reference(63, { each: true })
  readonly roles?: string[];
}

export class InvitationBody extends MemberBody {
  @ApiProperty({ example: 'jane@acme.example' })
  @EmailField()
  readonly email!: string;
}

/** Roles of the system hold everywhere. */
const WITHIN_TENANT = { 'x-within': 'tenantId' } as const;

export class ScopeQuery {
  @ApiPropertyOptional({ description: 'Only in this namespace.', ...WITHIN_TENANT })
  @IsOptional()
  @IdOf('namespace')
  readonly namespace?: string;

  @ApiPropertyOptional({ description: 'Only in this topic of the namespace.', ...WITHIN_TENANT })
  @IsOptional()
  @IdOf('topic')
  readonly topic?: string;
}

export class RoleBody {
  @ChosenId()
  readonly id?: string;
  @WhenGiven()
  @PlainText(200)
  readonly name?: string;
  @IsOptional()
  @Prose(500)
  readonly description?: string | null;
  @texts(64, ANY_ACTION, ACTIONS_NOTE, ['topic:read', 'event:publish'])
  readonly actions!: string[];
}

export class RoleChangeBody {
  @WhenGiven()
  @PlainText(200)
  readonly name?: string;
  @IsOptional()
  @Prose(500)
  readonly description?: string | null;
  @WhenGiven()
  @texts(64, ANY_ACTION, ACTIONS_NOTE, ['topic:read', 'event:publish'])
  readonly actions?: string[];
}

export class GroupBody {
  @ChosenId()
  readonly id?: string;
  @WhenGiven()
  @PlainText(200)
  readonly name?: string;
}

export class GroupChangeBody {
  @PlainText(200)
  readonly name!: string;
}

@Related({ minProperties: 1, maxProperties: 1 })
export class WhoCanActDto {
  @WhenGiven()
  @Reference(100)
  readonly user?: string;
  @WhenGiven()
  @Reference(100)
  readonly apiKey?: string;
}

export class PrincipalDto extends WhoCanActDto {
  @WhenGiven()
  @Reference(100)
  readonly group?: string;
  @WhenGiven()
  @Reference(100)
  readonly role?: string;
}

class HoursDto {
  @ApiProperty({ example: '08:00' })
  @IsString()
  @Contract({ pattern: CLOCK_TIME.source })
  readonly from!: string;
  @ApiProperty({ example: '18:00', description: 'Another time than `from`; the next day where it is earlier.' })
  @IsString()
  @Contract({ pattern: CLOCK_TIME.source })
  readonly to!: string;
}

class RateLimitDto {
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly limit!: number;
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly windowSeconds!: number;
}

export class ConstraintsDto implements Constraints {
  @WhenGiven()
  @texts(100, { pattern: EVENT_TYPES.source }, 'Types of events, or beginnings of them. For actions on events only.', [
    'order.*',
  ])
  readonly eventTypes?: string[];
  @WhenGiven()
  @Rfc3339()
  readonly validFrom?: string;
  @ApiPropertyOptional({ description: 'Later than `validFrom`.' })
  @WhenGiven()
  @Rfc3339()
  readonly validUntil?: string;
  @WhenGiven()
  @texts(7, { enum: DAYS }, 'Days of the week.', ['mon', 'tue'])
  readonly daysOfWeek?: Day[];
  @WhenGiven()
  @Nested(() => HoursDto)
  readonly hours?: HoursDto;
  @ApiPropertyOptional({ example: 'Europe/Berlin', description: 'IANA; UTC without one.' })
  @WhenGiven()
  @IsString()
  @Length(1, 64)
  @Contract({ pattern: '^[A-Za-z0-9_+/-]+$' })
  readonly timeZone?: string;
  @ApiPropertyOptional({ description: 'For what is allowed.' })
  @WhenGiven()
  @Nested(() => RateLimitDto)
  readonly rateLimit?: RateLimitDto;
  @WhenGiven()
  @texts(100, { pattern: ADDRESS_OR_RANGE.source }, 'Addresses that requests may come from.', ['10.0.0.0/8'])
  readonly sourceCidrs?: string[];
}

@Related({
  anyOf: [
    { properties: { effect: { const: 'allow' } } },
    { properties: { constraints: { properties: { rateLimit: false } } } },
  ],
})
export class GrantBody {
  @ApiProperty({ description: 'One of them.' })
  @Nested(() => PrincipalDto)
  readonly principal!: PrincipalDto;
  @IsIn(['allow', 'deny'])
  readonly effect!: 'allow' | 'deny';
  @texts(64, ANY_ACTION, ACTIONS_NOTE, ['event:publish'])
  readonly actions!: string[];
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders-*' })
  @IsString()
  @Length(1, PATTERN_CHARS_MAX)
  @Contract({ pattern: RESOURCE_PATTERN.source })
  readonly resource!: string;
  @IsOptional()
  @Nested(() => ConstraintsDto)
  readonly constraints?: ConstraintsDto | null;
}

class CheckContextDto {
  @WhenGiven()
  @Reference(256)
  readonly eventType?: string;
  @WhenGiven()
  @Rfc3339()
  readonly time?: string;
  @ApiPropertyOptional({ example: '192.0.2.1', description: 'Without it that of the request.' })
  @WhenGiven()
  @Reference(64)
  readonly address?: string;
}

export class CheckBody {
  @ApiPropertyOptional({ description: 'A user or an API key; without one the caller.' })
  @WhenGiven()
  @Nested(() => WhoCanActDto)
  readonly principal?: WhoCanActDto;
  @ApiProperty({ example: 'event:publish' })
  @Rule({
    name: 'isAction',
    schema: { type: 'string', enum: ACTIONS },
    is: (value) => (ACTIONS as readonly unknown[]).includes(value),
    message: 'is no action',
  })
  readonly action!: Action;
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders', description: 'One, without wildcards.' })
  @IsString()
  @Length(1, PATTERN_CHARS_MAX)
  @Contract({ pattern: RESOURCE_PATH.source })
  readonly resource!: string;
  @WhenGiven()
  @Nested(() => CheckContextDto)
  readonly context?: CheckContextDto;
}
