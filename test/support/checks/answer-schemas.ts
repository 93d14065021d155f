import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { ApiDocument } from '../api/openapi.js';

type Node = Record<string, unknown>;

/** The schemas of the document, to check values. An object may have the described fields, and no others. */
export class AnswerSchemas {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: ApiDocument) {
    formats.default(this.ajv);
    this.ajv.addSchema(closed(structuredClone(document) as object) as object, 'api');
  }

  /** What is wrong with the value; `path` leads to the schema, from the root of the document. */
  faults(path: readonly string[], value: unknown): string[] {
    const pointer = path.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = this.ajv.getSchema(`api#/${pointer}`);
    if (!validate) return ['there is no schema'];
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const extra = (params as { additionalProperty?: string }).additionalProperty ?? '';
      return `${instancePath} ${message} ${extra}`.trim();
    });
  }
}

function closed(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  for (const inner of Object.values(node)) closed(inner);
  const schema = node as Node;
  if (isObjectSchema(schema)) schema['additionalProperties'] ??= false;
  return schema;
}

const isObjectSchema = ({ type, properties }: Node): boolean => type === 'object' && typeof properties === 'object';
