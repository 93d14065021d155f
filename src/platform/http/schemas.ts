import type { OpenAPIObject } from '@nestjs/swagger';

/** Part of the finished document, with as much of JSON Schema as is read there; rules write theirs as JsonSchema, see field-rules.ts. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly contentMediaType?: string;
  readonly contentSchema?: Schema;
  readonly example?: unknown;
}

/** The schema that `#/components/schemas/…` refers to. */
export const resolveRef = (document: OpenAPIObject, ref: string): Schema =>
  document.components!.schemas![ref.split('/').at(-1)!] as Schema;
