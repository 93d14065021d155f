import type { OpenAPIObject } from '@nestjs/swagger';

/** As much of JSON Schema as the document uses. */
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

/** What `#/components/schemas/…` points at. */
export const referred = (document: OpenAPIObject, ref: string): Schema =>
  document.components!.schemas![ref.split('/').at(-1)!] as Schema;
