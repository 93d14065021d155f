import type { Type } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { EXAMPLE, EXAMPLE_TIME } from './examples.js';
import { operationsOf, type Media, type Responses } from './operations.js';
import { resolveRef, type Schema } from './schemas.js';

/** The example for all requests whose body has one class. */
export interface BodyExample {
  readonly schema: string;
  readonly value: unknown;
}

/** The examples of requests: a body must work as a whole, which examples of single fields cannot ensure. */
export interface RequestExamples {
  readonly bodyExamples: readonly BodyExample[];
  /** For bodies without a class: by operation and media type, and there by name. */
  readonly mediaExamples: Readonly<Record<string, Readonly<Record<string, NonNullable<Media['examples']>>>>>;
}

export const bodyExample = <T>({ name }: Type<T>, value: Partial<T>): BodyExample => ({ schema: name, value });

/**
 * Gives every body, every response and every path parameter its example. Those of responses are composed from the examples of the fields,
 * so that each is written once; an optional field is included if it has an example.
 */
export function addExamples(document: OpenAPIObject, { bodyExamples, mediaExamples }: RequestExamples): void {
  for (const { schema, value } of bodyExamples)
    Object.assign(document.components!.schemas![schema]!, { example: value });
  const examples = new FieldExamples(document);
  const complete = (content: Readonly<Record<string, Media>> = {}): void => {
    for (const media of Object.values(content))
      if (media.schema && !media.examples) media.example ??= examples.of(media.schema);
  };
  const webhooks = operationsOf({ ...document, paths: document.webhooks as OpenAPIObject['paths'] });
  for (const { operation } of [...operationsOf(document), ...webhooks]) {
    const body = (operation.requestBody as { content?: Record<string, Media> } | undefined)?.content;
    const given = Object.entries(mediaExamples[operation.operationId!] ?? {});
    for (const [type, named] of given) Object.assign(body![type]!, { examples: named });
    complete(body);
    for (const { content } of Object.values(operation.responses as Responses)) complete(content);
    for (const parameter of (operation.parameters ?? []) as { in: string; name: string; example?: unknown }[])
      if (parameter.in === 'path') parameter.example ??= EXAMPLE[parameter.name as keyof typeof EXAMPLE];
  }
}

class FieldExamples {
  constructor(private readonly document: OpenAPIObject) {}

  of(schema: Schema): unknown {
    if (schema.example !== undefined) return schema.example;
    if (schema.$ref !== undefined) return this.of(resolveRef(this.document, schema.$ref));
    const [first] = schema.oneOf ?? schema.anyOf ?? schema.allOf ?? [];
    if (first) return this.of(first);
    if (schema.enum) return schema.enum[0];
    if (schema.contentSchema) return linesOf(schema.contentMediaType, this.of(schema.contentSchema));
    return this.ofType(schema);
  }

  private ofType(schema: Schema): unknown {
    const types = [schema.type ?? []].flat();
    if (schema.properties) return this.ofObject(schema);
    if (types.includes('null')) return null;
    if (types.includes('array')) return [this.of(schema.items!)];
    if (schema.format === 'date-time') return EXAMPLE_TIME;
    if (types.includes('boolean')) return false;
    return types.includes('object') ? {} : undefined;
  }

  private ofObject({ properties = {}, required = [] }: Schema): object {
    const shown = Object.entries(properties).filter(([name, field]) => required.includes(name) || this.isSaid(field));
    return Object.fromEntries(shown.map(([name, field]) => [name, this.of(field)]));
  }

  /** Whether it contains an example anywhere. */
  private isSaid(schema: Schema): boolean {
    if (schema.example !== undefined) return true;
    if (schema.$ref !== undefined) return this.isSaid(resolveRef(this.document, schema.$ref));
    const inner = [schema.oneOf, schema.anyOf, schema.allOf, Object.values(schema.properties ?? {}), schema.items];
    return inner.flat().some((one) => one !== undefined && this.isSaid(one));
  }
}

function linesOf(mediaType: string | undefined, value: unknown): string {
  const json = JSON.stringify(value);
  return mediaType === 'text/event-stream' ? `id: 1\ndata: ${json}\n\n` : `${json}\n`;
}
