import { ValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min, type ValidationError } from 'class-validator';
import type { FieldError } from '../../kernel/domain-error.js';
import { httpError } from './http-errors.js';

const ERRORS_SHOWN_MAX = 50;
/** The head of a request has room for thousands, each of which would be validated. */
const QUERY_PARAMETERS_MAX = 64;
const TYPES = new Set(['isString', 'isInt', 'isNumber', 'isBoolean', 'isArray', 'isObject']);

class FieldFailure extends Error {
  constructor(readonly failures: readonly ValidationError[]) {
    super('validation failed');
  }
}

/** Validates a DTO: unknown fields are refused, nothing is converted, and every invalid field is reported. */
class StrictValidation extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      transform: true,
      exceptionFactory: (failures) => new FieldFailure(failures),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && value !== undefined && !isPlainObject(value)) {
      throw invalid([{ pointer: '', detail: 'must be a JSON object' }]);
    }
    if (metadata.type === 'query' && Object.keys(value as object).length > QUERY_PARAMETERS_MAX) {
      throw invalid([{ pointer: '?', detail: `may have at most ${QUERY_PARAMETERS_MAX} query parameters` }]);
    }
    const dropped = metadata.type === 'body' || metadata.type === 'query' ? droppedField(value) : undefined;
    if (dropped !== undefined)
      throw invalid([{ pointer: (metadata.type === 'query' ? '?' : '/') + dropped, detail: 'is not a known field' }]);
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (!(error instanceof FieldFailure)) throw error;
      const prefix = metadata.type === 'query' ? '?' : '/';
      throw invalid(error.failures.flatMap((failure) => flatten(failure, prefix)));
    }
  }
}

/** Used on each controller with a DTO: `@UsePipes(strictValidation)`. Publishing has a validator of its own. */
export const strictValidation = new StrictValidation();

export function invalid(errors: readonly FieldError[]): Error {
  const shown = errors.slice(0, ERRORS_SHOWN_MAX);
  const names = shown.map(({ pointer, detail }) => `${pointer === '' ? 'body' : pointer} ${detail}`).join('; ');
  return httpError('invalid-request', names.slice(0, 1_000), { errors: shown });
}

const isPlainObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Nest, class-transformer and class-validator silently drop names that every object has, so they would not be reported. */
const isDropped = (name: string): boolean => name in Object.prototype || name === 'prototype';

function droppedField(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (isDropped(name)) return name;
    const inside = droppedField(member);
    if (inside !== undefined) return `${name}/${inside}`;
  }
  return undefined;
}

function flatten(failure: ValidationError, prefix: string): FieldError[] {
  const pointer = prefix + failure.property.replaceAll('~', '~0').replaceAll('/', '~1');
  const own = reasons(failure).map((detail) => ({ pointer, detail: withoutName(detail, failure.property) }));
  return [...own, ...(failure.children ?? []).flatMap((child) => flatten(child, `${pointer}/`))];
}

/** If a value is missing or of the wrong type, other reasons are pointless: a number is neither too long nor too short. */
function reasons({ value, constraints = {} }: ValidationError): string[] {
  if (value === undefined && Object.keys(constraints).length > 0) return ['is required'];
  const ofType = Object.entries(constraints).filter(([name]) => TYPES.has(name));
  return ofType.length > 0 ? ofType.map(([, detail]) => detail) : Object.values(constraints);
}

function withoutName(detail: string, property: string): string {
  if (detail.includes('should not exist')) return 'is not a known field';
  return detail.startsWith(`${property} `) ? detail.slice(property.length + 1) : detail;
}

/** A query parameter that is a whole number; anything else, including `1e2` and ` 5`, is refused. */
export function QueryInt(min: number, max: number): PropertyDecorator {
  return (target, property) => {
    Transform(({ value }) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value))(
      target,
      property,
    );
    IsInt()(target, property as string);
    Min(min)(target, property as string);
    Max(max)(target, property as string);
  };
}
