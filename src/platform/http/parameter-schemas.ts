import type { OpenAPIObject } from '@nestjs/swagger';
import { CHOSEN_ID, GENERATED_ID, ID_CHARACTERS_MAX } from '../../kernel/ids.js';
import type { JsonSchema } from './field-rules.js';
import { operationsOf } from './operations.js';

/*
 * Parameters in paths and headers, which no class describes. An impossible id is treated like an unknown one; its pattern is for
 * clients.
 */

export const CHOSEN_ID_SCHEMA: JsonSchema = { type: 'string', maxLength: ID_CHARACTERS_MAX, pattern: CHOSEN_ID.source };

/** `usr_01k0w3t5m8q2v7x9z4b6d8f0g2` */
export const generatedId = (prefix: string) => ({
  type: 'string',
  pattern: `^${prefix}_${GENERATED_ID.source}$`,
});

/** Either of them; also for reserved ids such as `$system`. */
export const idOr = (reserved: string): JsonSchema => ({
  ...CHOSEN_ID_SCHEMA,
  pattern: `${CHOSEN_ID.source}|^${reserved.replace('$', String.raw`\$`)}$`,
});

const ids = new Map<string, JsonSchema>();

/** Each context describes the ids that follow its own words in paths: `{ users: … }` for `/users/{userId}`. */
export function describeIds(schemas: Readonly<Record<string, JsonSchema>>): void {
  for (const [collection, schema] of Object.entries(schemas)) ids.set(collection, schema);
}

/** See preconditions.ts. */
const TAG = String.raw`(?:W\/)?"[\x21\x23-\x7e]*"`;
const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: 'The ETag of an earlier response: 412 if it has changed since.',
  schema: { type: 'string', pattern: String.raw`^(?:\*|${TAG}(?: *, *${TAG})*)$` },
};
/** Resources without versions, and POSTs that continue from one. */
const UNVERSIONED = /\/(permissions|sessions)\/\{\w+\}$/;
const ROTATION = /\/rotate$/;

interface Parameter {
  readonly name: string;
  readonly in: string;
  schema?: JsonSchema;
  /** For query parameters: only on paths that contain this one. */
  'x-within'?: string;
}

/** Describes each parameter of each path; throws for one without a description. */
export function describeParameters(document: OpenAPIObject): void {
  for (const { path, method, operation } of operationsOf(document)) {
    const given = (operation.parameters ?? []) as unknown as Parameter[];
    const parameters = given.filter((one) => one['x-within'] === undefined || path.includes(`{${one['x-within']}}`));
    for (const parameter of parameters) describe(parameter, path);
    const changes = method === 'put' || method === 'patch' || method === 'delete';
    if ((changes && !UNVERSIONED.test(path)) || ROTATION.test(path)) parameters.push({ ...IF_MATCH });
    operation.parameters = parameters as never;
  }
}

function describe(parameter: Parameter, path: string): void {
  const { name, in: where, schema } = parameter;
  if (where === 'path' && schema?.['pattern'] === undefined) parameter.schema = idSchema(path, name);
  delete parameter['x-within'];
  if (!parameter.schema || Object.keys(parameter.schema).length === 0)
    throw new Error(`No context describes what ${name} of ${path} is like.`);
}

function idSchema(path: string, name: string): JsonSchema {
  const segments = path.split('/');
  const schema = ids.get(segments[segments.indexOf(`{${name}}`) - 1]!);
  if (!schema) throw new Error(`No context describes what {${name}} of ${path} is like.`);
  return { ...schema };
}
