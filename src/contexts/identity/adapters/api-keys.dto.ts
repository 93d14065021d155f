import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { isAddressRange } from '../../../kernel/address-ranges.js';
import { CHOSEN_ID, MANAGEMENT_NAMESPACE, SYSTEM_TENANT } from '../../../kernel/ids.js';
import { CountField, pageOf, TimeField, VersionField } from '../../../platform/http/answer-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { PlainText, Rfc3339 } from '../../../platform/http/field-rules.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { ApiKeyView } from '../application/api-key-store.js';
import { isActionPattern, type KeyScope } from '../domain/key-limits.js';

const SCOPES_MAX = 20;
const ACTIONS_MAX = 64;
const CIDRS_MAX = 50;
const GRACE_SECONDS_MAX = 7 * 86_400;
const GRACE_SECONDS_DEFAULT = 86_400;

const judgedBy =
  (name: string, is: (value: unknown) => boolean, message: string, each = false): PropertyDecorator =>
  (target, property) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: property as string,
      options: { each },
      validator: { validate: is, defaultMessage: () => message },
    });

/** A list that bounds the key. Empty it would forbid everything or nothing, depending on who reads it: it is refused. */
const bound = (max: number, description: string, example: unknown): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: [String], nullable: true, minItems: 1, maxItems: max, description, example }),
    IsOptional(),
    IsArray(),
    ArrayMinSize(1, { message: 'must not be empty: leave it out for no bound' }),
    ArrayMaxSize(max),
  ) as PropertyDecorator;

const expiry = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, format: 'date-time', nullable: true, description }),
    IsOptional(),
    Rfc3339(),
  ) as PropertyDecorator;

const idOr = (reserved: string, what: string): PropertyDecorator =>
  judgedBy(
    'isId',
    (value) => value === reserved || (typeof value === 'string' && CHOSEN_ID.test(value)),
    `must be the id of a ${what}`,
  );

export class KeyScopeDto implements KeyScope {
  @ApiProperty({ example: 'acme' })
  @idOr(SYSTEM_TENANT, 'tenant')
  readonly tenant!: string;

  @ApiPropertyOptional({ example: 'shop' })
  @ValidateIf(({ namespace, topic }: KeyScopeDto) => namespace !== undefined || topic !== undefined)
  @idOr(MANAGEMENT_NAMESPACE, 'namespace')
  readonly namespace?: string;

  @ApiPropertyOptional({ example: 'orders', description: 'Needs a namespace.' })
  @ValidateIf(({ topic }: KeyScopeDto) => topic !== undefined)
  @Matches(CHOSEN_ID, { message: 'must be the id of a topic' })
  readonly topic?: string;
}

export class CreateApiKeyBody {
  @ApiProperty({ maxLength: 200, example: 'checkout service' })
  @PlainText(200)
  readonly name!: string;

  @ApiPropertyOptional({
    type: [KeyScopeDto],
    nullable: true,
    minItems: 1,
    maxItems: SCOPES_MAX,
    description: 'Where the key may act; without: wherever its owner may.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1, { message: 'must not be empty: leave it out for no bound' })
  @ArrayMaxSize(SCOPES_MAX)
  @ValidateNested({ each: true })
  @Type(() => KeyScopeDto)
  readonly scopes?: KeyScopeDto[] | null;

  @bound(ACTIONS_MAX, 'What the key may do, as actions or `resource:*`; without: whatever its owner may.', [
    'event:publish',
    'topic:*',
  ])
  @judgedBy(
    'isAction',
    (value) => typeof value === 'string' && isActionPattern(value),
    'must be actions such as event:publish, or event:*',
    true,
  )
  readonly actions?: string[] | null;

  @expiry('Default 90 days from now, at most 366; null: never.')
  readonly expiresAt?: string | null;

  @bound(CIDRS_MAX, 'Where the key may be used from; without: from anywhere.', ['203.0.113.0/24', '2001:db8::/32'])
  @judgedBy(
    'isRange',
    (value) => typeof value === 'string' && isAddressRange(value),
    'must be ranges such as 10.0.0.0/8 or 2001:db8::/32',
    true,
  )
  readonly allowedCidrs?: string[] | null;
}

export class RotateApiKeyBody {
  @ApiPropertyOptional({
    type: Number,
    minimum: 0,
    maximum: GRACE_SECONDS_MAX,
    default: GRACE_SECONDS_DEFAULT,
    description: 'For how long the old secret goes on working beside the new one.',
  })
  @ValidateIf((_, value) => value !== undefined)
  @IsInt()
  @Min(0)
  @Max(GRACE_SECONDS_MAX)
  readonly gracePeriodSeconds: number = GRACE_SECONDS_DEFAULT;

  @expiry('A new end, at most 366 days from now; null: never. Without it the end stays as it is.')
  readonly expiresAt?: string | null;
}

export class ApiKeyDto {
  @ApiProperty({ example: EXAMPLE.keyId, description: 'Public; the key itself begins with it.' })
  readonly id!: string;
  @ApiProperty({ example: EXAMPLE.userId })
  readonly userId!: string;
  @ApiProperty({ example: 'checkout service' })
  readonly name!: string;
  @ApiProperty({ enum: ['active', 'rotating', 'expired'], description: '`rotating`: the old secret works, too.' })
  readonly state!: 'active' | 'rotating' | 'expired';
  @ApiProperty({ type: [KeyScopeDto], nullable: true })
  readonly scopes!: readonly KeyScope[] | null;
  @ApiProperty({ type: [String], nullable: true, example: ['event:publish', 'topic:*'] })
  readonly actions!: readonly string[] | null;
  @ApiProperty({ type: [String], nullable: true })
  readonly allowedCidrs!: readonly string[] | null;
  @TimeField()
  readonly createdAt!: string;
  @TimeField({ nullable: true, example: '2027-02-28T09:00:00.000Z' })
  readonly expiresAt!: string | null;
  @TimeField({ nullable: true, example: null })
  readonly rotatedAt!: string | null;
  @TimeField({ nullable: true, example: null, description: 'The end of the old secret.' })
  readonly previousExpiresAt!: string | null;
  @TimeField({ nullable: true })
  readonly lastUsedAt!: string | null;
  @ApiProperty({ type: String, nullable: true, example: '203.0.113.9' })
  readonly lastUsedFrom!: string | null;
  @CountField({
    example: 42,
    description: 'Requests that the key has authenticated; those of other instances show within 10 s.',
  })
  readonly useCount!: number;
  @VersionField()
  readonly version!: number;
}

export class IssuedApiKeyDto extends ApiKeyDto {
  @ApiProperty({ description: 'Shown this once.', example: 'es_live_…' })
  readonly key!: string;
}

export class ApiKeyPage extends pageOf(ApiKeyDto) {}

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

export function toApiKeyDto(key: ApiKeyView, now: number): ApiKeyDto {
  const { keyId: id, userId, name, scopes, actions, allowedCidrs, expiresAt, previousEndsAt } = key;
  const expired = expiresAt !== null && expiresAt <= now;
  const rotating = previousEndsAt !== null && previousEndsAt > now;
  return {
    id,
    userId,
    name,
    state: expired ? 'expired' : rotating ? 'rotating' : 'active',
    scopes,
    actions,
    allowedCidrs,
    createdAt: isoTime(key.createdAt),
    expiresAt: timeOrNull(expiresAt),
    rotatedAt: timeOrNull(key.rotatedAt),
    previousExpiresAt: rotating ? isoTime(previousEndsAt) : null,
    lastUsedAt: timeOrNull(key.lastUsedAt),
    lastUsedFrom: key.lastUsedFrom,
    useCount: key.useCount,
    version: key.version,
  };
}
