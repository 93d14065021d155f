import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import { ChosenId } from '../../../platform/http/list-query.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { NamespaceView, TenantView } from '../application/ports.js';

export class CreateBody {
  @ChosenId()
  readonly id?: string;

  @ApiPropertyOptional({ maxLength: 200, example: 'Acme Ltd.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  readonly name?: string;
}

export class RenameBody {
  @ApiProperty({ maxLength: 200 })
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  readonly name!: string;
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
  @ApiProperty({ enum: ['active'] })
  readonly state!: 'active';
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

export const toTenantDto = ({ tenantId, name, state, version, createdAt, updatedAt }: TenantView): TenantDto => ({
  id: tenantId,
  name,
  state,
  version,
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
