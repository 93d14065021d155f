import { routesOf, type ApiDocument, type Route } from './openapi.js';

export type PlaceKind = 'object' | 'text' | 'choice' | 'time' | 'number' | 'map' | 'any';

/** A place in the body of a route, as the OpenAPI document describes it. */
export interface BodyPlace {
  /** RFC 6901; `''` is the body itself; of a list the first element is meant. */
  readonly pointer: string;
  readonly kind: PlaceKind;
  /** For an object: the names that it may have. */
  readonly fields: readonly string[];
}

export interface BodyRoute extends Route {
  readonly places: readonly BodyPlace[];
}

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

/** Every route that takes a JSON body, with all places in it. */
export function bodyRoutesOf(document: ApiDocument): BodyRoute[] {
  return routesOf(document).flatMap((route) => {
    const body = route.operation.requestBody as { content?: Record<string, { schema: Schema }> } | undefined;
    const schema = body?.content?.['application/json']?.schema;
    return schema ? [{ ...route, places: placesIn(document, schema, '') }] : [];
  });
}

/** A copy of a body with another value in a place; missing parents are created. */
export function withValue(body: object, pointer: string, value: unknown): object {
  const copy = structuredClone(body) as Record<string, unknown>;
  const names = pointer.split('/').slice(1);
  let at = copy;
  for (const [i, name] of names.slice(0, -1).entries()) {
    at[name] ??= /^\d+$/.test(names[i + 1]!) ? [] : {};
    at = at[name] as Record<string, unknown>;
  }
  at[names.at(-1)!] = value;
  return copy;
}

/** JSON with a text in a place that no JavaScript value serializes to: `1e400`, a key with an escape, a key twice. */
export function jsonWith(body: object, pointer: string, text: string): string {
  const mark = 'a-mark-that-nothing-else-is';
  return JSON.stringify(withValue(body, pointer, mark)).replace(`"${mark}"`, () => text);
}

/** The JSON of a body, one of whose objects has another member in front. */
export function jsonWithMember(body: object, objectPointer: string, member: string): string {
  const mark = 'amongtheothers';
  const marked = withValue(body, `${objectPointer}/${mark}`, 0);
  return JSON.stringify(marked).replace(`"${mark}":0`, () => member);
}

function placesIn(document: ApiDocument, given: Schema, pointer: string): BodyPlace[] {
  const schema = resolved(document, given);
  const place = (kind: PlaceKind): BodyPlace => ({ pointer, kind, fields: Object.keys(schema.properties ?? {}) });
  const types = [schema.type ?? []].flat();
  if (schema.properties) {
    const inside = Object.entries(schema.properties).map(([name, field]) =>
      placesIn(document, field, `${pointer}/${name}`),
    );
    return [place('object'), ...inside.flat()];
  }
  if (types.includes('array')) return placesIn(document, schema.items!, `${pointer}/0`);
  if (schema.additionalProperties) return [place('map')];
  if (schema.enum) return [place('choice')];
  if (types.includes('string')) return [place(schema.format === 'date-time' ? 'time' : 'text')];
  return [place(types.includes('number') || types.includes('integer') ? 'number' : 'any')];
}

/** Follows references; of alternatives it takes the first that describes fields, unless a string is allowed. */
function resolved(document: ApiDocument, schema: Schema): Schema {
  if (schema.$ref) return resolved(document, document.components.schemas[schema.$ref.split('/').at(-1)!] as Schema);
  if (schema.properties) return schema;
  const alternatives = schema.allOf ?? schema.anyOf ?? schema.oneOf;
  if (!alternatives) return schema;
  const all = alternatives.map((one) => resolved(document, one));
  if (all.some((one) => one.enum)) return {};
  return all.find(({ properties }) => properties) ?? (schema.oneOf ? {} : all[0]!);
}
