import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { MANAGEMENT_NAMESPACE, SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Nested, PlainText, Reference, WhenGiven } from '../../../platform/http/field-rules.js';
import { CountField, pageOf, TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { describeIds, generatedId, idOr } from '../../../platform/http/parameter-schemas.js';
import { isoTime } from '../../../platform/http/resource.js';
import { RetryDto } from '../../../platform/http/retry.dto.js';
import type { NamespaceView, TenantView } from '../application/ports.js';
import type { DefaultsPatch, TenantDefaults, TenantStatus } from '../domain/tenant.js';
import type { TenantLimits } from '../domain/tenant-limits.js';

describeIds({
  tenants: idOr(SYSTEM_TENANT),
  namespaces: idOr(MANAGEMENT_NAMESPACE),
  'tenant-deletions': generatedId('del'),
});

export class CreateBody {
  @ChosenId()
  readonly id?: string;

  @ApiPropertyOptional({ example: 'Acme Ltd.' })
  @IsOptional()
  @PlainText(200)
  readonly name?: string;
}

export class RenameBody {
  @PlainText(200)
  readonly name!: string;
}

const limit = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: Number, description }),
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
  @limit('Events per second that one instance accepts, in bursts of up to the same number.')
  readonly eventsPerSecond?: number | null;
  @limit('Bytes of all its events at most, payloads and metadata.')
  readonly storageBytes?: number | null;
}

export class TenantDefaultsDto implements DefaultsPatch {
  @ApiPropertyOptional({ description: 'Fields that differ; null: the defaults of the product.' })
  @IsOptional()
  @Nested(() => RetryDto)
  readonly retry?: RetryDto | null;

  @ApiPropertyOptional({ type: Number, description: 'Of one attempt; null: that of the product.' })
  @IsOptional()
  @IsInt()
  @Min(100)
  @Max(30_000)
  readonly timeoutMs?: number | null;
}

const LIMITS_NOTE = 'Needs `tenant:limit`. null: the limit of the installation for every tenant.';
const DEFAULTS_NOTE = 'What consumers get at their registration where they set nothing themselves.';

export class CreateTenantBody extends CreateBody {
  @ApiPropertyOptional({
    description: 'The user who becomes its first owner; by default, the caller.',
    example: 'usr_01k9y2m4c0abcdefghjkmnpqrs',
  })
  @WhenGiven()
  @Reference(64)
  readonly owner?: string;

  @ApiPropertyOptional({ description: LIMITS_NOTE })
  @WhenGiven()
  @Nested(() => TenantLimitsDto)
  readonly limits?: TenantLimitsDto;

  @ApiPropertyOptional({ description: DEFAULTS_NOTE })
  @WhenGiven()
  @Nested(() => TenantDefaultsDto)
  readonly defaults?: TenantDefaultsDto;
}

export class TenantChangeBody {
  @WhenGiven()
  @PlainText(200)
  readonly name?: string;

  @ApiPropertyOptional({ description: LIMITS_NOTE })
  @WhenGiven()
  @Nested(() => TenantLimitsDto)
  readonly limits?: TenantLimitsDto;

  @ApiPropertyOptional({ description: `${DEFAULTS_NOTE} null: nothing.` })
  @IsOptional()
  @Nested(() => TenantDefaultsDto)
  readonly defaults?: TenantDefaultsDto | null;
}

export class SuspendBody {
  @ApiPropertyOptional({ description: 'Shown to administrators.' })
  @IsOptional()
  @PlainText(500)
  readonly reason?: string;
}

export class DeleteQuery {
  @ApiPropertyOptional({ description: 'Delete what it holds, too.' })
  @IsOptional()
  @IsIn(['true', 'false'])
  readonly force?: 'true' | 'false';
}

export class NamespaceDto {
  @ApiProperty({ example: EXAMPLE.namespaceId })
  readonly id!: string;
  @ApiProperty({ example: 'Shop' })
  readonly name!: string;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

const ownLimit = (description: string): PropertyDecorator => CountField({ nullable: true, description, example: null });

/** As responses show them: all of them. */
class TenantLimitsShownDto implements TenantLimits {
  @ownLimit('Namespaces at most.')
  readonly namespaces!: number | null;
  @ownLimit('Topics at most.')
  readonly topics!: number | null;
  @ownLimit('Consumers at most.')
  readonly consumers!: number | null;
  @ownLimit('Events per second that one instance accepts, in bursts of up to the same number.')
  readonly eventsPerSecond!: number | null;
  @ownLimit('Bytes of all its events at most, payloads and metadata.')
  readonly storageBytes!: number | null;
}

/** As responses show them: both of them. */
class TenantDefaultsShownDto {
  @ApiProperty({ type: RetryDto, nullable: true, description: 'Fields that differ from those of the product.' })
  readonly retry!: RetryDto | null;
  @CountField({ nullable: true, description: 'Of one attempt; null: that of the product.', example: null })
  readonly timeoutMs!: number | null;
}

export class TenantDto {
  @ApiProperty({ example: EXAMPLE.tenantId })
  readonly id!: string;
  @ApiProperty({ example: 'Acme Ltd.' })
  readonly name!: string;
  @ApiProperty({ enum: ['active', 'suspended', 'deleting'] })
  readonly state!: TenantStatus;
  @ApiProperty({ type: String, nullable: true, description: 'Why it is suspended.' })
  readonly reason!: string | null;
  @ApiProperty({
    type: TenantLimitsShownDto,
    description: 'Its own; null: it has none, and that of the installation applies.',
  })
  readonly limits!: TenantLimits;
  @ApiProperty({ type: TenantLimitsShownDto, description: 'Those that apply; null: no limit.' })
  readonly effectiveLimits!: TenantLimits;
  @ApiProperty({ type: TenantDefaultsShownDto })
  readonly defaults!: TenantDefaults;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Where its deletion shows its progress.',
    example: null,
  })
  readonly deletion!: string | null;
  @VersionField({ minimum: 0 })
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

export class TenantPage extends pageOf(TenantDto) {}

export class NamespacePage extends pageOf(NamespaceDto) {}

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
