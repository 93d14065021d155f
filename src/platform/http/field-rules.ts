import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsObject,
  IsString,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { charactersOf, hasMoreCharacters } from '../../kernel/characters.js';
import { CHOSEN_ID, ID_CHARACTERS_MAX } from '../../kernel/ids.js';
import { parseTime } from '../../kernel/rfc3339.js';

/*
 * What the texts in bodies and queries may be. PostgreSQL takes no NUL; lone surrogates become the same replacement character, so that
 * what differs would be taken for the same; control characters and line separators break the lines of logs and mails; marks that turn
 * the direction of writing, and characters that nobody sees, make one name look like another. The joiners U+200C and U+200D stay:
 * scripts and emoji are written with them. Written without \p{…} and lookarounds, which not all who read the contract have.
 */
const CONTROLS = String.raw`\u0000-\u001f\u007f-\u009f`;
const SURROGATES = String.raw`\ud800-\udfff`;
const UNSEEN = String.raw`\u2028\u2029\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069`;
const ONE_LINE = new RegExp(`^[^${CONTROLS}${SURROGATES}${UNSEEN}]*$`, 'u');
const LINES = new RegExp(String.raw`^(?:[\t\n\r]|[^${CONTROLS}${SURROGATES}${UNSEEN}])*$`, 'u');
const WELL_FORMED = new RegExp(`^[^${SURROGATES}]*$`, 'u');
const NO_CONTROLS = new RegExp(`^[^${CONTROLS}${SURROGATES}]*$`, 'u');
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** What is written for the document: as in OpenAPI 3.1, but for null, which `nullable` stands for. To read it there is Schema, see schemas.ts. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A rule, and what the contract says of it (see request-schemas.ts), in one. */
export interface FieldRule {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly is: (value: unknown) => boolean;
  readonly message: string | ((value: unknown) => string);
}

export interface Each {
  /** Of each value in a list. */
  readonly each?: boolean;
}

export const Rule = ({ name, schema, is, message }: FieldRule, { each = false }: Each = {}): PropertyDecorator =>
  ValidateBy(
    {
      name,
      constraints: [{ schema }],
      validator: {
        validate: (value) => is(value),
        defaultMessage: (context) => (typeof message === 'string' ? message : message(context?.value)),
      },
    },
    { each },
  ) as PropertyDecorator;

/** What the contract says of a field that the domain judges, by the same constants and under a code of its own. */
export const Contract = (schema: JsonSchema, each?: Each): PropertyDecorator =>
  Rule({ name: 'isJudgedByTheDomain', schema, is: () => true, message: '' }, each);

/** May be left out, but null means nothing for it. */
export const WhenGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined) as PropertyDecorator;

/** In characters (see kernel/characters.ts). Not MinLength and MaxLength, which count neither these nor units. */
export const Length = (min: number, max: number, { each }: Each = {}): PropertyDecorator =>
  Rule(
    {
      name: 'hasLength',
      schema: { type: 'string', ...(min > 0 && { minLength: min }), maxLength: max },
      is: (value) => typeof value === 'string' && !hasMoreCharacters(value, max) && charactersOf(value) >= min,
      message: `must have ${min > 0 ? `${min} to` : 'at most'} ${max} characters`,
    },
    { each },
  );

export const Pattern = (pattern: RegExp, message: string, { each }: Each = {}): PropertyDecorator =>
  Rule(
    {
      name: 'hasPattern',
      schema: { type: 'string', pattern: pattern.source },
      is: (value) => typeof value === 'string' && pattern.test(value),
      message,
    },
    { each },
  );

/** No characters but those that people see. */
export const OneLine = (): PropertyDecorator =>
  Pattern(ONE_LINE, 'must not hold control characters, lone surrogates or invisible characters');

/** Lone surrogates all become the same replacement character on their way out: what differs must not be taken for the same. */
export const WellFormed = (): PropertyDecorator => Pattern(WELL_FORMED, 'must be well-formed Unicode');

/** What is looked for, and may be anything that was ever taken. */
export const SearchText = (lengthMax: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(0, lengthMax),
    Pattern(NO_CONTROLS, 'must not hold control characters or lone surrogates'),
  ) as PropertyDecorator;

/** A name, or a reason: one line that people read. */
export const PlainText = (lengthMax: number): PropertyDecorator =>
  applyDecorators(IsString(), Length(1, lengthMax), OneLine()) as PropertyDecorator;

/** A description: it may have lines, and may be empty. */
export const Prose = (lengthMax: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(0, lengthMax),
    Pattern(LINES, 'must not hold control characters, lone surrogates or invisible characters'),
  ) as PropertyDecorator;

/** The id of something, of whatever kind: nothing has one with other characters. */
export const Reference = (lengthMax: number, { each = false }: Each = {}): PropertyDecorator =>
  applyDecorators(
    IsString({ each }),
    Length(1, lengthMax, { each }),
    Pattern(VISIBLE_ASCII, 'must be visible ASCII characters without spaces', { each }),
  ) as PropertyDecorator;

/** An id that a client chose. */
export const IdOf = (what: string): PropertyDecorator =>
  applyDecorators(Length(1, ID_CHARACTERS_MAX), Pattern(CHOSEN_ID, `must be the id of a ${what}`)) as PropertyDecorator;

/** A time as the contract writes it: with a date, a time and an offset. */
export const Rfc3339 = (): PropertyDecorator =>
  Rule({
    name: 'isTime',
    schema: { type: 'string', format: 'date-time' },
    is: (value) => !Number.isNaN(parseTime(value)),
    message: 'must be an RFC 3339 time with an offset',
  });

export const Nested = (type: () => new () => object): PropertyDecorator =>
  applyDecorators(ApiProperty({ type: () => type() }), IsObject(), ValidateNested(), Type(type)) as PropertyDecorator;

export const NestedList = (type: () => new () => object, min: number, max: number): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: () => [type()] }),
    IsArray(),
    ArrayMinSize(min),
    ArrayMaxSize(max),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
    Type(type),
  ) as PropertyDecorator;
