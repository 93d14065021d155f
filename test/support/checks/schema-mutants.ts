import fc from 'fast-check';
import { typesOf, type JsonSchema, type SchemaValues } from './schema-values.js';

/** A value that is wrong in one place. */
export interface Mutant {
  readonly pointer: string;
  readonly value: unknown;
}

const OF_ANOTHER_TYPE: Readonly<Record<string, unknown>> = {
  string: 17,
  integer: 2.5,
  number: 'one',
  boolean: 'yes',
  array: 'one',
  object: 'one',
};
const NO_TEXTS_EACH = 3;
const NO_TEXTS = ['', ' ', '\u0000', '../..', '\ud800', 'Ä"%\u202e'];

/** Values that a schema refuses: for each place in it, all values with exactly one fault. */
export class SchemaMutants {
  private readonly samples = new Map<string, unknown>();

  constructor(
    private readonly values: SchemaValues,
    private readonly seed: number,
  ) {}

  /** `base`, if it is given, surrounds the fault. */
  of(schema: JsonSchema, base: unknown = this.sample(schema)): Mutant[] {
    return this.within(schema, base).filter(({ value }) => !this.values.fits(schema, value));
  }

  sample(schema: JsonSchema): unknown {
    const text = JSON.stringify(schema);
    if (!this.samples.has(text))
      this.samples.set(text, fc.sample(this.values.of(schema), { numRuns: 1, seed: this.seed })[0]);
    return this.samples.get(text);
  }

  private within(given: JsonSchema, base: unknown): Mutant[] {
    const schema = this.values.resolved(given);
    const alternative = schema.properties ? undefined : (schema.anyOf ?? schema.oneOf);
    if (alternative) return [{ pointer: '', value: 17.5 }, ...this.within(alternative[0]!, undefined)];
    const types = typesOf(schema);
    if (schema.type === undefined && !schema.enum) return [];
    const own = types
      .filter((type) => type !== 'null')
      .flatMap((type) => [OF_ANOTHER_TYPE[type], ...this.beyond(schema)]);
    const wrong = [...own, ...(types.includes('null') ? [] : [null])].map((value) => ({ pointer: '', value }));
    return [...wrong, ...this.inList(schema), ...this.inObject(schema, base)];
  }

  private beyond({
    minimum,
    maximum,
    minLength,
    maxLength,
    pattern,
    format,
    enum: choices,
    ...rest
  }: JsonSchema): unknown[] {
    const { items, minItems = 0, maxItems } = rest;
    return [
      ...(choices ? ['no-such-choice'] : []),
      ...(minimum === undefined ? [] : [minimum - 1]),
      ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [maximum + 1]),
      ...(minLength ? [''] : []),
      ...(maxLength === undefined ? [] : ['a'.repeat(maxLength + 1), '😀'.repeat(maxLength + 1)]),
      ...NO_TEXTS.filter((text) => pattern !== undefined && !new RegExp(pattern, 'u').test(text)).slice(
        0,
        NO_TEXTS_EACH,
      ),
      ...(format === 'date-time' ? ['yesterday', '2026-02-30T00:00:00Z'] : []),
      ...(minItems > 0 ? [[]] : []),
      ...(items && maxItems !== undefined ? [Array.from({ length: maxItems + 1 }, () => this.sample(items))] : []),
    ];
  }

  private inList({ items, type }: JsonSchema): Mutant[] {
    if (!items || ![type].flat().includes('array')) return [];
    return this.within(items, undefined).map(({ pointer, value }) => ({ pointer: `/0${pointer}`, value: [value] }));
  }

  private inObject({ properties, required = [], additionalProperties, ...rest }: JsonSchema, base: unknown): Mutant[] {
    if (!properties) return [];
    const whole = (base ?? this.sample({ properties, required, additionalProperties, ...rest })) as object;
    const missing = required.map((name) => ({ pointer: `/${name}`, value: { ...whole, [name]: undefined } }));
    const unknown = { pointer: '/no-such-member', value: { ...whole, 'no-such-member': 1 } };
    const fields = Object.entries(properties).flatMap(([name, field]) =>
      this.within(field, undefined).map(({ pointer, value }) => ({
        pointer: `/${name}${pointer}`,
        value: { ...whole, [name]: value },
      })),
    );
    return [...missing, ...(additionalProperties === false ? [unknown] : []), ...fields];
  }
}
