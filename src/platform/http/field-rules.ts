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
import { charactersOf, exceedsCharacters } from '../../kernel/characters.js';
import { CHOSEN_ID, ID_CHARACTERS_MAX } from '../../kernel/ids.js';
import { parseTime } from '../../kernel/rfc3339.js';

/*
 * What texts in bodies and queries may contain. PostgreSQL accepts no NUL; lone surrogates all become the same replacement character, so
 * different texts would be taken for the same; control characters and line separators break the lines of logs and mails; marks that change
 * the direction of writing, and invisible characters, make one name look like another. The joiners U+200C and U+200D are allowed:
 * scripts and emoji need them. Written without \p{…} and lookarounds, which not all readers of the contract support.
 */
const CONTROLS = String.raw`\u0000-\u001f\u007f-\u009f`;
const SURROGATES = String.raw`\ud800-\udfff`;
const UNSEEN = String.raw`\u2028\u2029\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069`;
const ONE_LINE = new RegExp(`^[^${CONTROLS}${SURROGATES}${UNSEEN}]*$`, 'u');
const LINES = new RegExp(String.raw`^(?:[\t\n\r]|[^${CONTROLS}${SURROGATES}${UNSEEN}])*$`, 'u');
const WELL_FORMED = new RegExp(`^[^${SURROGATES}]*$`, 'u');
const NO_CONTROLS = new RegExp(`^[^${CONTROLS}${SURROGATES}]*$`, 'u');
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * What is written for the document: as in OpenAPI 3.1, except for null, for which `nullable` stands. Schema in schemas.ts is for reading
 * it.
 */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A rule together with its part of the contract (see request-schemas.ts). */
export interface FieldRule {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly is: (value: unknown) => boolean;
  readonly message: string | ((value: unknown) => string);
}

export interface Each {
  /** The rule applies to each value of a list. */
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

/** The contract of a field that the domain checks, by the same constants and under a code of its own. */
export const Contract = (schema: JsonSchema, each?: Each): PropertyDecorator =>
  Rule({ name: 'isCheckedByTheDomain', schema, is: () => true, message: '' }, each);

/** May be left out, but must not be null. */
export const WhenGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined) as PropertyDecorator;

/** In characters (see kernel/characters.ts). Not MinLength and MaxLength, which count neither these nor code units. */
export const Length = (min: number, max: number, { each }: Each = {}): PropertyDecorator =>
  Rule(
    {
      name: 'hasLength',
      schema: { type: 'string', ...(min > 0 && { minLength: min }), maxLength: max },
      is: (value) => typeof value === 'string' && !exceedsCharacters(value, max) && charactersOf(value) >= min,
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

/** Only visible characters. */
export const OneLine = (): PropertyDecorator =>
  Pattern(ONE_LINE, 'must not contain control characters, lone surrogates or invisible characters');

/** Lone surrogates all become the same replacement character on output: different texts must not be taken for the same. */
export const WellFormed = (): PropertyDecorator => Pattern(WELL_FORMED, 'must be well-formed Unicode');

/** A search text: anything that was ever accepted. */
export const SearchText = (lengthMax: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(0, lengthMax),
    Pattern(NO_CONTROLS, 'must not contain control characters or lone surrogates'),
  ) as PropertyDecorator;

/** A name, or a reason: one line for people. */
export const PlainText = (lengthMax: number): PropertyDecorator =>
  applyDecorators(IsString(), Length(1, lengthMax), OneLine()) as PropertyDecorator;

/** A description: it may have several lines, and may be empty. */
export const Prose = (lengthMax: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(0, lengthMax),
    Pattern(LINES, 'must not contain control characters, lone surrogates or invisible characters'),
  ) as PropertyDecorator;

/** The id of a resource of any kind: no id has other characters. */
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
