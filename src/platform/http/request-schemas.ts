import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { getMetadataStorage } from 'class-validator';
import type { JsonSchema } from './field-rules.js';

/*
 * The contract of requests comes from the rules that check them, so that the two cannot diverge: what class-validator knows of a class is
 * written, as JSON Schema, into the metadata of Nest's documents. With a rule that has no counterpart here no document is made, and the
 * test of the document fails.
 */

/** The metadata of class-validator that is read. */
interface Known {
  readonly type: string;
  readonly name?: string;
  readonly target: unknown;
  readonly propertyName: string;
  readonly constraints?: readonly unknown[];
  readonly each: boolean;
}

type Class = new () => object;

/** Bodies: in a query nothing is null. Parts that both use leave it open. */
const IN_BODY = /(?:Body|Dto)$/;
/** Where Nest stores the names of the fields of a class. */
const FIELDS = 'swagger/apiModelPropertiesArray';

const WORDS: Readonly<Record<string, (constraint: never) => JsonSchema>> = {
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isBoolean: () => ({ type: 'boolean' }),
  isArray: () => ({ type: 'array' }),
  isObject: () => ({ type: 'object' }),
  isIn: (values: readonly string[]) => ({ type: 'string', enum: values }),
  min: (minimum: number) => ({ minimum }),
  max: (maximum: number) => ({ maximum }),
  arrayMinSize: (minItems: number) => ({ minItems }),
  arrayMaxSize: (maxItems: number) => ({ maxItems }),
};

/** Must be called before the document is made. */
export function describeRequests(): void {
  const known = getMetadataStorage()['validationMetadatas'] as ReadonlyMap<unknown, readonly Known[]>;
  for (const target of known.keys()) describeClass(target as Class, known);
}

/** Fields of inherited classes come first; unknown fields are refused, see validation.ts. */
function describeClass(target: Class, known: ReadonlyMap<unknown, readonly Known[]>): void {
  const line = lineOf(target).toReversed();
  const fields = Map.groupBy(
    line.flatMap((one) => known.get(one) ?? []),
    ({ propertyName }) => propertyName,
  );
  const defaults = new target() as Readonly<Record<string, unknown>>;
  for (const [name, rules] of fields)
    ApiProperty({ ...schemaOf(rules), ...presence(rules, defaults[name], target) } as never)(
      target.prototype as object,
      name,
    );
  orderFields(target.prototype as object, [...fields.keys()]);
  ApiSchema({ additionalProperties: false, ...relationsOf(line) } as never)(target);
}

/** In order of declaration; Nest would list those with a description first. */
function orderFields(prototype: object, names: readonly string[]): void {
  const known = Reflect.getMetadata(FIELDS, prototype) as readonly string[];
  Reflect.defineMetadata(FIELDS, [...new Set([...names.map((name) => `:${name}`), ...known])], prototype);
}

function lineOf(target: Class): Class[] {
  const parent = Object.getPrototypeOf(target) as Class;
  return parent === Function.prototype ? [target] : [target, ...lineOf(parent)];
}

function presence(rules: readonly Known[], value: unknown, { name: owner }: Class): JsonSchema {
  const conditions = rules.filter(({ type }) => type === 'conditionalValidation');
  return {
    required: conditions.length === 0,
    ...(IN_BODY.test(owner) && conditions.some(({ name }) => name === 'isOptional') && { nullable: true }),
    ...(value !== undefined && { default: value }),
  };
}

/** For a nested class the document has a reference. */
function schemaOf(rules: readonly Known[]): JsonSchema {
  const custom = rules.filter(({ type }) => type === 'customValidation');
  const own = merged(custom.filter(({ each }) => !each));
  const items = merged(custom.filter(({ each }) => each));
  if (rules.some(({ type }) => type === 'nestedValidation')) {
    const { type: _, ...bounds } = own;
    return bounds;
  }
  return own['type'] === 'array' ? { ...own, items } : own;
}

function merged(rules: readonly Known[]): JsonSchema {
  return rules.map(wordsOf).reduce((all, one) => {
    const twice = Object.keys(one).find((word) => word !== 'type' && word in all);
    if (twice !== undefined) throw new Error(`${placeOf(rules[0]!)} has two rules of one kind: ${twice}`);
    return { ...all, ...one };
  }, {});
}

function wordsOf(rule: Known): JsonSchema {
  const [constraint] = rule.constraints ?? [];
  const own = (constraint as { schema?: JsonSchema } | undefined)?.schema;
  const words = WORDS[rule.name ?? ''];
  if (own === undefined && words === undefined)
    throw new Error(`${placeOf(rule)}: the contract has no words for ${rule.name}`);
  return own ?? words!(constraint as never);
}

const placeOf = ({ target, propertyName }: Known): string => `${(target as Class).name}.${propertyName}`;

const RELATIONS = Symbol('relations');

/**
 * Relations between fields, which no single field can express: which ones require or exclude each other. Checked where the class is used.
 */
export const Related =
  (schema: JsonSchema): ClassDecorator =>
  (target) =>
    Reflect.defineMetadata(RELATIONS, schema, target);

const relationsOf = (line: readonly Class[]): JsonSchema =>
  Object.assign(
    {},
    ...line.map((one) => Reflect.getOwnMetadata(RELATIONS, one) as JsonSchema | undefined),
  ) as JsonSchema;
