import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, ValidateIf } from 'class-validator';
import { AUDIT_OUTCOMES, type ActorKind, type AuditOutcome } from '../../../platform/audit/index.js';
import { Contract, Pattern, Rfc3339, SearchText } from '../../../platform/http/field-rules.js';
import { CountField, pageOf, TimeField } from '../../../platform/http/response-fields.js';
import { EXAMPLE, EXAMPLE_CORRELATION_ID } from '../../../platform/http/examples.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import { QueryInt } from '../../../platform/http/validation.js';
import { CHAIN_FAULTS } from '../domain/chain.js';
import { MAX_AGE } from '../domain/retention.js';

const HASH_EXAMPLE = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const SHA256 = /^[0-9a-f]{64}$/;
const ACTION = /^[a-z0-9.-]{1,100}\*?$/;

/** The same fields in query strings and bodies. */
export class AuditFilterFields {
  @ApiPropertyOptional({ description: 'Who acted: `usr_…`, `key_…`, `system` or `anonymous`.' })
  @IsOptional()
  @SearchText(200)
  readonly actor?: string;

  @ApiPropertyOptional({ description: 'Whose rights were used; includes what the API keys of the user did.' })
  @IsOptional()
  @SearchText(200)
  readonly user?: string;

  @ApiPropertyOptional({ description: 'An action, or a prefix followed by `*`.', example: 'topic.*' })
  @IsOptional()
  @Pattern(ACTION, 'must be an action such as topic.created, or its beginning and *')
  readonly action?: string;

  @ApiPropertyOptional({ description: 'A prefix of the path.', example: 'tenants/acme/namespaces/shop' })
  @IsOptional()
  @SearchText(1_000)
  readonly resource?: string;

  @IsOptional()
  @IsIn(AUDIT_OUTCOMES)
  readonly outcome?: AuditOutcome;

  @ApiPropertyOptional({ description: 'Where the request came from.' })
  @IsOptional()
  @SearchText(64)
  readonly address?: string;

  @IsOptional()
  @SearchText(128)
  readonly correlationId?: string;

  @ApiPropertyOptional({ description: 'From this time on.' })
  @IsOptional()
  @Rfc3339()
  readonly from?: string;

  @ApiPropertyOptional({ description: 'Before this time.' })
  @IsOptional()
  @Rfc3339()
  readonly to?: string;
}

export class AuditQuery extends IntersectionType(ListQuery, AuditFilterFields) {}

export class ExportAuditBody extends AuditFilterFields {
  @IsIn(['ndjson', 'csv'])
  readonly format!: 'ndjson' | 'csv';
}

export class AuditRecordDto {
  @ApiProperty({ example: 'aud_01k9y2m4c0qrstvwxyz0123456' })
  readonly id!: string;
  @CountField({
    minimum: 1,
    nullable: true,
    example: 7,
    description: 'Its number in the chain; null until it is sealed.',
  })
  readonly seq!: number | null;
  @ApiProperty({ example: EXAMPLE.tenantId, description: '`$system` for records that belong to no tenant.' })
  readonly tenant!: string;
  @TimeField()
  readonly time!: string;
  @ApiProperty({ example: 'topic.created' })
  readonly action!: string;
  @ApiProperty({ enum: AUDIT_OUTCOMES })
  readonly outcome!: AuditOutcome;
  @ApiProperty({ type: String, nullable: true })
  readonly reason!: string | null;
  @ApiProperty({ enum: ['user', 'api-key', 'system', 'anonymous'] })
  readonly actorKind!: ActorKind;
  @ApiProperty({ example: EXAMPLE.userId })
  readonly actor!: string;
  @ApiProperty({ type: String, nullable: true, example: EXAMPLE.userId })
  readonly user!: string | null;
  @ApiProperty({ type: String, nullable: true, example: '203.0.113.9' })
  readonly address!: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'curl/8.5.0' })
  readonly userAgent!: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'POST /tenants/:tenantId/namespaces/:namespaceId/topics' })
  readonly route!: string | null;
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders' })
  readonly resource!: string;
  @ApiProperty({ example: EXAMPLE_CORRELATION_ID })
  readonly correlationId!: string;
  @CountField({ minimum: 1, description: 'How many equal denials this record counts.' })
  readonly times!: number;
  @ApiProperty({
    description: 'The resource before; null where there was none.',
    nullable: true,
    type: 'object',
    additionalProperties: true,
    example: null,
  })
  readonly before!: unknown;
  @ApiProperty({
    description: 'The resource after.',
    nullable: true,
    type: 'object',
    additionalProperties: true,
    example: { description: null },
  })
  readonly after!: unknown;
  @ApiProperty({ type: String, nullable: true, example: HASH_EXAMPLE, description: 'Null until it is sealed.' })
  readonly hash!: string | null;
}

export class AuditPage extends pageOf(AuditRecordDto) {}

export class AuditRetentionBody {
  @ApiProperty({ example: 'P400D', description: 'Days from P30D to P3650D.' })
  @IsString()
  @Contract({ pattern: MAX_AGE.source })
  readonly maxAge!: string;
}

export class AuditRetentionDto {
  @ApiProperty({ example: 'P400D' })
  readonly maxAge!: string;
  @CountField({ description: '0 while the default of the installation applies; also the ETag.' })
  readonly version!: number;
}

/** An earlier head that was kept elsewhere: both fields or none. */
export class VerifyAuditQuery {
  @ApiPropertyOptional({ description: 'The number of an earlier head that was kept elsewhere.' })
  @ValidateIf(({ seq, hash }: VerifyAuditQuery) => seq !== undefined || hash !== undefined)
  @QueryInt(1, Number.MAX_SAFE_INTEGER)
  readonly seq?: number;

  @ApiPropertyOptional({ description: 'The hash of that head.' })
  @ValidateIf(({ seq, hash }: VerifyAuditQuery) => seq !== undefined || hash !== undefined)
  @Pattern(SHA256, 'must be 64 characters of 0-9 a-f')
  readonly hash?: string;
}

export class AuditHeadDto {
  @CountField({ example: 7 })
  readonly seq!: number;
  @ApiProperty({
    example: HASH_EXAMPLE,
    description: 'SHA-256 over all records up to it. Keep it elsewhere to detect a chain that is replaced as a whole.',
  })
  readonly hash!: string;
  @TimeField()
  readonly sealedAt!: string;
}

export class AuditVerdictDto {
  @ApiProperty({ example: true })
  readonly valid!: boolean;
  @CountField({ example: 7, description: 'Records in the chain.' })
  readonly records!: number;
  @CountField({ example: 0, description: 'Records that are not sealed yet.' })
  readonly pending!: number;
  @CountField({
    nullable: true,
    example: null,
    description: 'Null where only the signature shows that something is wrong.',
  })
  readonly firstBrokenSeq!: number | null;
  @ApiProperty({ type: String, enum: [...CHAIN_FAULTS, null], nullable: true, example: null })
  readonly reason!: string | null;
}

export class KeptHeadDto {
  @CountField({ example: 7, description: 'The `seq` of the request.' })
  readonly seq!: number;
  @ApiProperty({
    type: Boolean,
    nullable: true,
    example: true,
    description: 'Whether the chain has this hash there. Null: unknown, because retention has removed the record.',
  })
  readonly holds!: boolean | null;
}

export class TenantAuditVerdictDto extends AuditVerdictDto {
  @ApiProperty({ type: AuditHeadDto })
  readonly head!: AuditHeadDto;
  @ApiPropertyOptional({ type: KeptHeadDto, description: 'Where `seq` and `hash` were given.' })
  readonly kept?: KeptHeadDto;
}

export class BrokenChainDto {
  @ApiProperty({ example: EXAMPLE.tenantId })
  readonly tenant!: string;
  @CountField({ nullable: true, example: 5 })
  readonly firstBrokenSeq!: number | null;
  @ApiProperty({ enum: CHAIN_FAULTS })
  readonly reason!: string;
}

export class SystemAuditVerdictDto extends AuditVerdictDto {
  @CountField({ example: 2, description: 'Chains that were verified, `$system` among them.' })
  readonly tenants!: number;
  @ApiProperty({ type: [BrokenChainDto], example: [] })
  readonly broken!: BrokenChainDto[];
  @ApiProperty({ type: AuditHeadDto, description: 'Of the chain of `$system`.' })
  readonly head!: AuditHeadDto;
  @ApiPropertyOptional({
    type: KeptHeadDto,
    description: 'Where `seq` and `hash`, of the chain of `$system`, were given.',
  })
  readonly kept?: KeptHeadDto;
}
