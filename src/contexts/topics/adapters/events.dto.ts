import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { ListQuery } from '../../../platform/http/list-query.js';

const EXPRESSION_CHARS_MAX = 2_048;

/** What of a topic is read. A place is a position, an event id, `beginning`, `latest` or a JSON place. */
export class ReadEventsQuery extends ListQuery {
  @ApiPropertyOptional({ description: 'Read what comes after this place.' })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  readonly after?: string;

  @ApiPropertyOptional({ description: 'Read what comes before this place.' })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  readonly before?: string;

  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'asc' })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  readonly order: 'asc' | 'desc' = 'asc';

  @ApiPropertyOptional({ description: 'Types, comma-separated; `order.*` is a prefix.' })
  @IsOptional()
  @IsString()
  @MaxLength(4_096)
  readonly type?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @MaxLength(255)
  readonly key?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @MaxLength(255)
  readonly stream?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Recorded at or after.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly from?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Recorded before.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly to?: string;

  @ApiPropertyOptional({
    description: 'CEL over type, data, key, stream, metadata, time, id and position: `data.total > 100`.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(EXPRESSION_CHARS_MAX)
  readonly filter?: string;
}
