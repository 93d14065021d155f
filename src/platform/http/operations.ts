import type { OpenAPIObject } from '@nestjs/swagger';
import type { Schema } from './schemas.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

type Operation = NonNullable<OpenAPIObject['paths'][string][(typeof METHODS)[number]]>;

/** Content of a body, by media type. */
export interface Media {
  readonly schema?: Schema;
  example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;
}

export type Responses = Readonly<
  Record<string, { readonly content?: Readonly<Record<string, Media>>; headers?: Readonly<Record<string, object>> }>
>;

export interface DocumentedOperation {
  readonly path: string;
  readonly method: (typeof METHODS)[number];
  readonly operation: Operation;
}

/** All operations of the document, in its order. */
export const operationsOf = ({ paths }: OpenAPIObject): DocumentedOperation[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, method, operation }] : [];
    }),
  );
