import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsOptional, Max, Min, ValidateIf } from 'class-validator';
import type { KeyScope } from '../../../kernel/access.js';
import { ACTION_PATTERNS } from '../../../kernel/actions.js';
import { ADDRESS_RANGE, isAddressRange, RANGE_CHARACTERS_MAX } from '../../../kernel/address-ranges.js';
import { isChosenId, MANAGEMENT_NAMESPACE, SYSTEM_TENANT } from '../../../kernel/ids.js';
import { CountField, pageOf, TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { IdOf, NestedList, PlainText, Rfc3339, Rule, WhenGiven } from '../../../platform/http/field-rules.js';
import { describeIds, idOr as idOrReserved } from '../../../platform/http/parameter-schemas.js';
import { Related } from '../../../platform/http/request-schemas.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { ApiKeyView } from '../application/api-keys/ports.js';
import { API_KEY_ID } from '../domain/api-key-format.js';
import { isActionPattern } from '../domain/key-limits.js';

const SCOPES_MAX = 20;
const ACTIONS_MAX = 64;
const CIDRS_MAX = 50;
const GRACE_SECONDS_MAX = 7 * 86_400;
const GRACE_SECONDS_DEFAULT = 86_400;

/** A list that bounds the key. An empty one could mean everything or nothing, depending on the reader: it is refused. */
const bound = (max: number, description: string, example: unknown): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ description, example }),
    IsOptional(),
    IsArray(),
    ArrayMinSize(1, { message: 'must not be empty: leave it out for no bound' }),
    ArrayMaxSize(max),
  ) as PropertyDecorator;

const expiry = (description: string): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ description }), IsOptional(), Rfc3339()) as PropertyDecorator;

describeIds({ 'api-keys': { type: 'string', pattern: API_KEY_ID.source } });

const idOr = (reserved: string, what: string): PropertyDecorator =>
  Rule({
    name: 'isId',
    schema: idOrReserved(reserved),
    is: (value) => value === reserved || (typeof value === 'string' && isChosenId(value)),
    message: `must be the id of a ${what}`,
  });

@Related({ dependentRequired: { topic: ['namespace'] } })
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
  @IdOf('topic')
  readonly topic?: string;
}

export class CreateApiKeyBody {
  @ApiProperty({ example: 'checkout service' })
  @PlainText(200)
  readonly name!: string;

  @ApiPropertyOptional({ description: 'Where the key may act; without: wherever its owner may.' })
  @IsOptional()
  @NestedList(() => KeyScopeDto, 1, SCOPES_MAX)
  readonly scopes?: KeyScopeDto[] | null;

  @bound(ACTIONS_MAX, 'What the key may do, as actions or `resource:*`; without: whatever its owner may.', [
    'event:publish',
    'topic:*',
  ])
  @Rule(
    {
      name: 'isAction',
      schema: { type: 'string', enum: ACTION_PATTERNS },
      is: (value) => typeof value === 'string' && isActionPattern(value),
      message: 'must be actions such as event:publish, or event:*',
    },
    { each: true },
  )
  readonly actions?: string[] | null;

  @expiry('Default 90 days from now, at most 366; null: never.')
  readonly expiresAt?: string | null;

  @bound(CIDRS_MAX, 'Where the key may be used from; without: from anywhere.', ['203.0.113.0/24', '2001:db8::/32'])
  @Rule(
    {
      name: 'isRange',
      schema: { type: 'string', maxLength: RANGE_CHARACTERS_MAX, pattern: ADDRESS_RANGE.source },
      is: (value) => typeof value === 'string' && isAddressRange(value),
      message: 'must be ranges such as 10.0.0.0/8 or 2001:db8::/32',
    },
    { each: true },
  )
  readonly allowedCidrs?: string[] | null;
}

export class RotateApiKeyBody {
  @ApiPropertyOptional({
    description:
      'How long the old secret keeps working beside the new one; until then no other rotation is accepted. 0: all previous secrets end at once.',
  })
  @WhenGiven()
  @IsInt()
  @Min(0)
  @Max(GRACE_SECONDS_MAX)
  readonly gracePeriodSeconds: number = GRACE_SECONDS_DEFAULT;

  @expiry('A new end, at most 366 days from now; null: never. Without it the end does not change.')
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
  @ApiProperty({ description: 'Shown only once.', example: 'es_live_…' })
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
