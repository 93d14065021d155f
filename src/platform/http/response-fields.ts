import type { Type } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { EXAMPLE_TIME } from './examples.js';

/** A time in a response. */
export const TimeField = (options: ApiPropertyOptions = {}): PropertyDecorator =>
  ApiProperty({ type: String, format: 'date-time', example: EXAMPLE_TIME, ...options } as ApiPropertyOptions);

/** A count or a position in a response: a non-negative integer. */
export const CountField = (options: ApiPropertyOptions = {}): PropertyDecorator =>
  ApiProperty({ type: 'integer', minimum: 0, example: 1, ...options } as ApiPropertyOptions);

/** The version of a resource that can be changed. */
export const VersionField = (options: ApiPropertyOptions = {}): PropertyDecorator =>
  CountField({ minimum: 1, description: 'Rises with each change; also the ETag.', ...options } as ApiPropertyOptions);

/** The class of one page of a list; extend it by one with the name that the document shows. */
export function pageOf<T>(item: Type<T>) {
  class Page {
    @ApiProperty({ type: [item] })
    readonly items!: T[];
    @ApiProperty({
      type: String,
      nullable: true,
      example: null,
      description: '`?cursor=` of the next page; null: none.',
    })
    readonly nextCursor!: string | null;
  }
  return Page;
}

/** The schema of a text with many of these, one after another; JSON Schema cannot express it more closely. */
export const linesOf = (ref: string, contentMediaType = 'application/x-ndjson') =>
  ({ type: 'string', contentMediaType, contentSchema: { $ref: ref } }) as { readonly type: 'string' };
