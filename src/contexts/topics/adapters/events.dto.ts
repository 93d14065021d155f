import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { Length, Pattern, Rfc3339, Rule } from '../../../platform/http/field-rules.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import { nameProblem } from '../domain/envelope.js';
import { parseBarePlace } from '../domain/place.js';
import { BARE_PLACE_CHARS_MAX, BARE_PLACE_SCHEMA, NAME_SCHEMA, TYPES } from './event-schemas.js';

const EXPRESSION_CHARS_MAX = 2_048;
const TYPES_CHARS_MAX = 4_096;

const IsPlace = (): PropertyDecorator =>
  Rule({
    name: 'isPlace',
    schema: BARE_PLACE_SCHEMA,
    is: (value) =>
      typeof value === 'string' && value.length <= BARE_PLACE_CHARS_MAX && parseBarePlace(value) !== undefined,
    message: 'is no place in a topic',
  });

const IsName = (): PropertyDecorator =>
  Rule({
    name: 'isName',
    schema: NAME_SCHEMA,
    is: (value) => nameProblem(value) === null,
    message: (value) => nameProblem(value) ?? '',
  });

/** Which events of a topic are read. A place is a position, an event id, `beginning`, `latest` or a JSON place. */
export class ReadEventsQuery extends ListQuery {
  @ApiPropertyOptional({ description: 'Read what comes after this place.' })
  @IsOptional()
  @IsPlace()
  readonly after?: string;

  @ApiPropertyOptional({ description: 'Read what comes before this place.' })
  @IsOptional()
  @IsPlace()
  readonly before?: string;

  @IsOptional()
  @IsIn(['asc', 'desc'])
  readonly order: 'asc' | 'desc' = 'asc';

  @ApiPropertyOptional({ description: 'Types, comma-separated; `order.*` is a prefix.' })
  @IsOptional()
  @IsString()
  @Length(1, TYPES_CHARS_MAX)
  @Pattern(TYPES, 'must be at most 100 types, each of 1 to 255 visible ASCII characters without spaces')
  readonly type?: string;

  @IsOptional()
  @IsName()
  readonly key?: string;

  @IsOptional()
  @IsName()
  readonly stream?: string;

  @ApiPropertyOptional({ description: 'Recorded at or after.' })
  @IsOptional()
  @Rfc3339()
  readonly from?: string;

  @ApiPropertyOptional({ description: 'Recorded before.' })
  @IsOptional()
  @Rfc3339()
  readonly to?: string;

  @ApiPropertyOptional({
    description: 'CEL over type, data, key, stream, metadata, time, id and position: `data.total > 100`.',
  })
  @IsOptional()
  @IsString()
  @Length(1, EXPRESSION_CHARS_MAX)
  readonly filter?: string;
}
