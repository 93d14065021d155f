import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, ValidateIf } from 'class-validator';
import { AUDIT_OUTCOMES, type ActorKind, type AuditOutcome } from '../../../platform/audit/index.js';
import { Contract, Pattern, Rfc3339, SearchText } from '../../../platform/http/field-rules.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import { QueryInt } from '../../../platform/http/validation.js';
import { CHAIN_FAULTS } from '../domain/chain.js';
import { MAX_AGE } from '../domain/retention.js';

const SHA256 = /^[0-9a-f]{64}$/;
const ACTION = /^[a-z0-9.-]{1,100}\*?$/;

/** The same in query strings and bodies. */
export class AuditFilterFields {
  @ApiPropertyOptional({ description: 'Who acted: `usr_…`, `key_…`, `system` or `anonymous`.' })
  @IsOptional()
  @SearchText(200)
  readonly actor?: string;

  @ApiPropertyOptional({ description: 'Whose rights were used; what keys of a user do is found under the user, too.' })
  @IsOptional()
  @SearchText(200)
  readonly user?: string;

  @ApiPropertyOptional({ description: 'A whole action, or its beginning and `*`.', example: 'topic.*' })
  @IsOptional()
  @Pattern(ACTION, 'must be an action such as topic.created, or its beginning and *')
  readonly action?: string;

  @ApiPropertyOptional({ description: 'How the path begins.', example: 'tenants/acme/namespaces/shop' })
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
  @ApiProperty({ example: 'aud_01j…' })
  readonly id!: string;
  @ApiProperty({ type: Number, nullable: true, description: 'Its place in the chain; null until it is sealed.' })
  readonly seq!: number | null;
  @ApiProperty({ description: '`$system` for what belongs to no tenant.' })
  readonly tenant!: string;
  @ApiProperty({ format: 'date-time' })
  readonly time!: string;
  @ApiProperty({ example: 'topic.created' })
  readonly action!: string;
  @ApiProperty({ enum: AUDIT_OUTCOMES })
  readonly outcome!: AuditOutcome;
  @ApiProperty({ type: String, nullable: true })
  readonly reason!: string | null;
  @ApiProperty({ enum: ['user', 'api-key', 'system', 'anonymous'] })
  readonly actorKind!: ActorKind;
  @ApiProperty()
  readonly actor!: string;
  @ApiProperty({ type: String, nullable: true })
  readonly user!: string | null;
  @ApiProperty({ type: String, nullable: true })
  readonly address!: string | null;
  @ApiProperty({ type: String, nullable: true })
  readonly userAgent!: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'POST /tenants' })
  readonly route!: string | null;
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders' })
  readonly resource!: string;
  @ApiProperty()
  readonly correlationId!: string;
  @ApiProperty({ description: 'How many equal denials it stands for.' })
  readonly times!: number;
  @ApiProperty({ description: 'The resource before; null where there was none.', nullable: true, type: Object })
  readonly before!: unknown;
  @ApiProperty({ description: 'The resource after.', nullable: true, type: Object })
  readonly after!: unknown;
  @ApiProperty({ type: String, nullable: true })
  readonly hash!: string | null;
}

export class AuditPage {
  @ApiProperty({ type: [AuditRecordDto] })
  readonly items!: AuditRecordDto[];
  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

export class AuditRetentionBody {
  @ApiProperty({ example: 'P400D', description: 'Days from P30D to P3650D.' })
  @IsString()
  @Contract({ pattern: MAX_AGE.source })
  readonly maxAge!: string;
}

export class AuditRetentionDto {
  @ApiProperty({ example: 'P400D' })
  readonly maxAge!: string;
  @ApiProperty({ description: '0 while the default of the installation holds; also the ETag.' })
  readonly version!: number;
}

/** A head of before, as somebody has kept it elsewhere: both or none. */
export class VerifyAuditQuery {
  @ApiPropertyOptional({ description: 'The number of a head that was kept elsewhere.' })
  @ValidateIf(({ seq, hash }: VerifyAuditQuery) => seq !== undefined || hash !== undefined)
  @QueryInt(1, Number.MAX_SAFE_INTEGER)
  readonly seq?: number;

  @ApiPropertyOptional({ description: 'The hash that it had.' })
  @ValidateIf(({ seq, hash }: VerifyAuditQuery) => seq !== undefined || hash !== undefined)
  @Pattern(SHA256, 'must be 64 characters of 0-9 a-f')
  readonly hash?: string;
}

export class AuditHeadDto {
  @ApiProperty()
  readonly seq!: number;
  @ApiProperty({
    description: 'SHA-256 over all records up to it. Keep it elsewhere to see a chain that is replaced as a whole.',
  })
  readonly hash!: string;
  @ApiProperty({ format: 'date-time' })
  readonly sealedAt!: string;
}

export class AuditVerdictDto {
  @ApiProperty()
  readonly valid!: boolean;
  @ApiProperty({ description: 'Records that the chain holds.' })
  readonly records!: number;
  @ApiProperty({ description: 'Records that were not sealed yet.' })
  readonly pending!: number;
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Null where only the signature tells that something is wrong.',
  })
  readonly firstBrokenSeq!: number | null;
  @ApiProperty({ type: String, enum: CHAIN_FAULTS, nullable: true })
  readonly reason!: string | null;
}

export class KeptHeadDto {
  @ApiProperty({ description: 'The number that was asked about.' })
  readonly seq!: number;
  @ApiProperty({
    type: Boolean,
    nullable: true,
    description:
      'Whether the chain has this hash there. Null: retention has removed the record, so that it cannot be told.',
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
  @ApiProperty()
  readonly tenant!: string;
  @ApiProperty({ type: Number, nullable: true })
  readonly firstBrokenSeq!: number | null;
  @ApiProperty({ enum: CHAIN_FAULTS })
  readonly reason!: string;
}

export class SystemAuditVerdictDto extends AuditVerdictDto {
  @ApiProperty({ description: 'Chains that were verified, `$system` among them.' })
  readonly tenants!: number;
  @ApiProperty({ type: [BrokenChainDto] })
  readonly broken!: BrokenChainDto[];
  @ApiProperty({ type: AuditHeadDto, description: 'Of the chain of `$system`.' })
  readonly head!: AuditHeadDto;
  @ApiPropertyOptional({
    type: KeptHeadDto,
    description: 'Where `seq` and `hash`, of the chain of `$system`, were given.',
  })
  readonly kept?: KeptHeadDto;
}
