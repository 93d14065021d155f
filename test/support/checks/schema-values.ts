import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import type { ApiDocument } from '../api/openapi.js';

export interface JsonSchema {
  readonly $ref?: string;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly maxProperties?: number;
  readonly contentSchema?: JsonSchema;
}

const LIST_MAX = 3;
const TIMES = ['2026-01-01T00:00:00Z', '1999-12-31t23:59:59.123456789z', '2030-06-15T08:30:00.5+02:00'];
const URLS = ['http://127.0.0.1:65000/', 'http://127.0.0.1:65000/a?b=%20'];

/** Values as the schemas of a document describe them. */
export class SchemaValues {
  private readonly ajv = new Ajv2020({ strict: false, logger: false });

  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(private readonly document: ApiDocument) {
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.ajv);
    this.ajv.addSchema({ $id: 'document', components: document.components });
  }

  /** Whether a value matches a schema: a JSON Schema library decides, not our code. */
  fits(schema: JsonSchema, value: unknown): boolean {
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
    let validate = this.compiled.get(text);
    if (!validate) this.compiled.set(text, (validate = this.ajv.compile(JSON.parse(text) as object)));
    return value !== undefined && validate(JSON.parse(JSON.stringify(value)));
  }

  /** Rules over several fields (such as `anyOf` beside `properties`) are checked in a second step. */
  of(given: JsonSchema): fc.Arbitrary<unknown> {
    const schema = this.resolved(given);
    const { anyOf, oneOf } = schema;
    const related = schema.properties !== undefined;
    const alternatives = related ? undefined : (anyOf ?? oneOf);
    const made = alternatives
      ? fc.oneof(
          ...alternatives.map((one) => this.of({ ...schema, anyOf: undefined, oneOf: undefined, ...one } as never)),
        )
      : fc.oneof(...typesOf(schema).map((type) => this.ofType(type, schema)));
    return related ? made.filter((value) => this.fits(schema, value)) : made;
  }

  /** The schema without references; what is beside a reference is merged into its target. */
  resolved(schema: JsonSchema): JsonSchema {
    const { $ref, allOf, ...rest } = schema;
    if ($ref) return this.resolved({ ...this.document.components.schemas[$ref.split('/').at(-1)!]!, ...rest });
    return allOf ? this.resolved({ ...Object.assign({}, ...allOf), ...rest }) : schema;
  }

  private ofType(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const { minimum: min = -1e6, maximum: max = 1e6 } = schema;
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));
      case 'number':
        return fc.oneof(fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max));
      case 'array':
        return this.listOf(schema);
      case 'object':
        return this.objectOf(schema);
      default:
        return this.textOf(schema);
    }
  }

  private listOf({ items = {}, minItems = 0, maxItems = LIST_MAX }: JsonSchema): fc.Arbitrary<unknown> {
    return fc.array(this.of(items), { minLength: minItems, maxLength: Math.min(maxItems, minItems + LIST_MAX) });
  }

  private objectOf({
    properties,
    required = [],
    additionalProperties,
    propertyNames,
  }: JsonSchema): fc.Arbitrary<unknown> {
    if (properties) {
      const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, this.of(field)]));
      return fc.record(fields, { requiredKeys: required as string[] });
    }
    if (typeof additionalProperties !== 'object')
      return fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.jsonValue());
    return fc.dictionary(this.textOf({ ...propertyNames }), this.of(additionalProperties), {
      maxKeys: LIST_MAX,
    });
  }

  private textOf({ pattern, format, minLength = 0, maxLength = 100, contentSchema }: JsonSchema): fc.Arbitrary<string> {
    if (contentSchema) return this.of(contentSchema).map((value) => JSON.stringify(value));
    if (format === 'date-time') return fc.constantFrom(...TIMES);
    if (format === 'uri') return fc.constantFrom(...URLS);
    const fits = (text: string): boolean => {
      const { length } = [...text];
      return (
        length >= minLength && length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(text))
      );
    };
    const matching =
      pattern === undefined
        ? fc.string({ minLength, maxLength: Math.min(maxLength, 20) })
        : fc.stringMatching(new RegExp(pattern, 'u'));
    // As many as allowed, each of two UTF-16 units, if such characters are allowed.
    const longest = ['😀'.repeat(maxLength), 'a'.repeat(maxLength)].filter(fits);
    const made = matching.filter(fits);
    return longest.length > 0
      ? fc.oneof({ weight: 4, arbitrary: made }, { weight: 1, arbitrary: fc.constantFrom(...longest) })
      : made;
  }
}

/** A schema without a type takes any. */
export function typesOf({ type, enum: choices }: JsonSchema): readonly string[] {
  if (choices) return ['string'];
  return type === undefined ? ['string', 'object', 'boolean', 'number', 'null'] : [type].flat();
}
