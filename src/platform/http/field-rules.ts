import { applyDecorators } from '@nestjs/common';
import { IsNotEmpty, IsString, Matches, MaxLength, ValidateBy } from 'class-validator';
import { parseTime } from '../../kernel/rfc3339.js';

/*
 * What the texts in bodies and queries may be. PostgreSQL takes no NUL; lone surrogates become the same replacement character, so that
 * what differs would be taken for the same; control characters and line separators break the lines of logs and mails; marks that turn
 * the direction of writing, and characters that nobody sees, make one name look like another. The joiners U+200C and U+200D stay:
 * scripts and emoji are written with them.
 */
const UNFIT = /[\p{Cc}\p{Cs}\u2028\u2029\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/u;
const WHITE_SPACE = /[\t\n\r]/g;

const readable = (ignored: RegExp | ''): PropertyDecorator =>
  ValidateBy({
    name: 'isReadable',
    validator: {
      validate: (value) => typeof value === 'string' && !UNFIT.test(value.replace(ignored, '')),
      defaultMessage: () => 'must not hold control characters, lone surrogates or invisible characters',
    },
  }) as PropertyDecorator;

/** No characters but those that people see. */
export const OneLine = (): PropertyDecorator => readable('');

/** A name, or a reason: one line that people read. */
export const PlainText = (lengthMax: number): PropertyDecorator =>
  applyDecorators(IsString(), IsNotEmpty(), MaxLength(lengthMax), OneLine()) as PropertyDecorator;

/** A description: it may have lines, and may be empty. */
export const Prose = (lengthMax: number): PropertyDecorator =>
  applyDecorators(IsString(), MaxLength(lengthMax), readable(WHITE_SPACE)) as PropertyDecorator;

/** The id of something, of whatever kind: nothing has one with other characters. */
export const Reference = (lengthMax: number, { each = false } = {}): PropertyDecorator =>
  applyDecorators(
    IsString({ each }),
    MaxLength(lengthMax, { each }),
    Matches(/^[\x21-\x7e]+$/, { each, message: 'must be visible ASCII characters without spaces' }),
  ) as PropertyDecorator;

/** A time as the contract writes it: with a date, a time and an offset. */
export const Rfc3339 = (): PropertyDecorator =>
  ValidateBy({
    name: 'isTime',
    validator: {
      validate: (value) => !Number.isNaN(parseTime(value)),
      defaultMessage: () => 'must be an RFC 3339 time with an offset',
    },
  }) as PropertyDecorator;
