import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, IsOptional, Max, Min, ValidateIf, ValidateNested } from 'class-validator';
import { PlainText, Reference } from '../../../platform/http/field-rules.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { NamespaceView, TenantView } from '../application/ports.js';
import type { DefaultsPatch, TenantDefaults, TenantStatus } from '../domain/tenant.js';
import type { TenantLimits } from '../domain/tenant-limits.js';
import { RetryDto } from './retry.dto.js';

export class CreateBody {
  @ChosenId()
  readonly id?: string;

  @ApiPropertyOptional({ maxLength: 200, example: 'Acme Ltd.' })
  @IsOptional()
  @PlainText(200)
  readonly name?: string;
}

export class RenameBody {
  @ApiProperty({ maxLength: 200 })
  @PlainText(200)
  readonly name!: string;
}

const limit = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: Number, nullable: true, minimum: 0, description }),
    IsOptional(),
    IsInt(),
    Min(0),
    Max(Number.MAX_SAFE_INTEGER),
  ) as PropertyDecorator;

export class TenantLimitsDto implements Partial<TenantLimits> {
  @limit('Namespaces at most.')
  readonly namespaces?: number | null;
  @limit('Topics at most.')
  readonly topics?: number | null;
  @limit('Consumers at most.')
  readonly consumers?: number | null;
  @limit('Events a second that one instance takes, in bursts of up to as many.')
  readonly eventsPerSecond?: number | null;
  @limit('Bytes of all its events at most, payloads and metadata.')
  readonly storageBytes?: number | null;
}

export class TenantDefaultsDto implements DefaultsPatch {
  @ApiPropertyOptional({
    type: RetryDto,
    nullable: true,
    description: 'Fields that differ; null: those of the product.',
  })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RetryDto)
  readonly retry?: RetryDto | null;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    minimum: 100,
    maximum: 30_000,
    description: 'Of one attempt; null: that of the product.',
  })
  @IsOptional()
  @IsInt()
  @Min(100)
  @Max(30_000)
  readonly timeoutMs?: number | null;
}

const LIMITS_NOTE = 'Takes `tenant:limit`. null: the limit of the installation for every tenant.';
const DEFAULTS_NOTE = 'What consumers take at their registration where they say nothing themselves.';

export class CreateTenantBody extends CreateBody {
  @ApiPropertyOptional({
    description: 'The user who becomes its first owner; without one, who creates it.',
    example: 'usr_01k9y2m4c0abcdefghjkmnpqrs',
  })
  @ValidateIf((_, value) => value !== undefined)
  @Reference(64)
  readonly owner?: string;

  @ApiPropertyOptional({ type: TenantLimitsDto, description: LIMITS_NOTE })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  @ValidateNested()
  @Type(() => TenantLimitsDto)
  readonly limits?: TenantLimitsDto;

  @ApiPropertyOptional({ type: TenantDefaultsDto, description: DEFAULTS_NOTE })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  @ValidateNested()
  @Type(() => TenantDefaultsDto)
  readonly defaults?: TenantDefaultsDto;
}

export class TenantChangeBody {
  @ApiPropertyOptional({ maxLength: 200 })
  @ValidateIf((_, value) => value !== undefined)
  @PlainText(200)
  readonly name?: string;

  @ApiPropertyOptional({ type: TenantLimitsDto, description: LIMITS_NOTE })
  @ValidateIf((_, value) => value !== undefined)
  @IsObject()
  @ValidateNested()
  @Type(() => TenantLimitsDto)
  readonly limits?: TenantLimitsDto;

  @ApiPropertyOptional({ type: TenantDefaultsDto, nullable: true, description: `${DEFAULTS_NOTE} null: nothing.` })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => TenantDefaultsDto)
  readonly defaults?: TenantDefaultsDto | null;
}

export class SuspendBody {
  @ApiPropertyOptional({ maxLength: 500, description: 'Shown to administrators.' })
  @IsOptional()
  @PlainText(500)
  readonly reason?: string;
}

export class DeleteQuery {
  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'Delete what it holds, too.' })
  @IsOptional()
  @IsIn(['true', 'false'])
  readonly force?: 'true' | 'false';
}

export class NamespaceDto {
  @ApiProperty({ example: 'shop' })
  readonly id!: string;
  @ApiProperty()
  readonly name!: string;
  @ApiProperty({ description: 'Rises with each change; also the ETag.' })
  readonly version!: number;
  @ApiProperty({ format: 'date-time' })
  readonly createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  readonly updatedAt!: string;
}

export class TenantDto extends NamespaceDto {
  @ApiProperty({ enum: ['active', 'suspended', 'deleting'] })
  readonly state!: TenantStatus;
  @ApiProperty({ type: String, nullable: true, description: 'Why it is suspended.' })
  readonly reason!: string | null;
  @ApiProperty({
    type: TenantLimitsDto,
    description: 'Its own; null: it has none, and that of the installation holds.',
  })
  readonly limits!: TenantLimits;
  @ApiProperty({ type: TenantLimitsDto, description: 'Those that hold; null: no limit.' })
  readonly effectiveLimits!: TenantLimits;
  @ApiProperty({ type: TenantDefaultsDto })
  readonly defaults!: TenantDefaults;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Where the progress of its deletion is told.',
    example: null,
  })
  readonly deletion!: string | null;
}

export class TenantPage {
  @ApiProperty({ type: [TenantDto] })
  readonly items!: TenantDto[];
  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

export class NamespacePage {
  @ApiProperty({ type: [NamespaceDto] })
  readonly items!: NamespaceDto[];
  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

export const toTenantDto = ({
  tenantId,
  tenantUid: _,
  deletionId,
  createdAt,
  updatedAt,
  ...tenant
}: TenantView): TenantDto => ({
  id: tenantId,
  ...tenant,
  deletion: deletionId === null ? null : `/tenant-deletions/${deletionId}`,
  createdAt: isoTime(createdAt),
  updatedAt: isoTime(updatedAt),
});

export const toNamespaceDto = ({ namespaceId, name, version, createdAt, updatedAt }: NamespaceView): NamespaceDto => ({
  id: namespaceId,
  name,
  version,
  createdAt: isoTime(createdAt),
  updatedAt: isoTime(updatedAt),
});
