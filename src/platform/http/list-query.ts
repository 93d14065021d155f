import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, IsString } from 'class-validator';
import { CHOSEN_ID, ID_CHARACTERS_MAX } from '../../kernel/ids.js';
import { Contract, Length, Pattern } from './field-rules.js';
import { QueryInt } from './validation.js';

export const LIMIT_DEFAULT = 50;
export const LIMIT_MAX = 1_000;
const CURSOR_CHARACTERS_MAX = 2_048;

/** `?limit=` and `?cursor=` of every list. */
export class ListQuery {
  @IsOptional()
  @QueryInt(1, LIMIT_MAX)
  readonly limit: number = LIMIT_DEFAULT;

  @ApiPropertyOptional({ description: '`nextCursor` of the previous page.' })
  @IsOptional()
  @IsString()
  @Length(1, CURSOR_CHARACTERS_MAX)
  @Contract({ pattern: '^[A-Za-z0-9_.-]+$' })
  readonly cursor?: string;
}

/** An id that the client may choose; otherwise the server generates it. */
export const ChosenId = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ example: 'orders' }),
    IsOptional(),
    Transform(({ value }) => value ?? undefined),
    Length(1, ID_CHARACTERS_MAX),
    Pattern(CHOSEN_ID, 'must be of a-z 0-9 . _ -, begin with a letter or digit, and have no two dots in a row'),
  );
