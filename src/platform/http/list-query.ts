import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { CHOSEN_ID } from '../../kernel/ids.js';
import { QueryInt } from './validation.js';

export const LIMIT_DEFAULT = 50;
export const LIMIT_MAX = 1_000;

/** `?limit=` and `?cursor=` of every list. */
export class ListQuery {
  @ApiPropertyOptional({ type: Number, minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT })
  @IsOptional()
  @QueryInt(1, LIMIT_MAX)
  readonly limit: number = LIMIT_DEFAULT;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(2_048)
  readonly cursor?: string;
}

/** An id that the client may choose; without one the server makes it. */
export const ChosenId = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ pattern: CHOSEN_ID.source, example: 'orders' }),
    IsOptional(),
    Matches(CHOSEN_ID, { message: 'must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit' }),
  );
