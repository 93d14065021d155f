import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { allErrors } from '../../kernel/domain-error.js';
import { describeParameters } from './parameter-schemas.js';
import { describeRequests } from './request-schemas.js';
import { addExamples, type RequestExamples } from './document-examples.js';
import { describeHeaders } from './document-headers.js';
import { EXAMPLE_CORRELATION_ID } from './examples.js';
import { nameOperations } from './operation-names.js';
import { operationsOf } from './operations.js';

/** The parts of the document besides the operations. */
export interface ApiOutline extends RequestExamples {
  /** In the order in which a reader meets them. */
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** Requests that the server makes. */
  readonly webhooks: NonNullable<OpenAPIObject['webhooks']>;
}

/** The full contract, OpenAPI 3.1. */
export function openApiDocument(
  app: NestFastifyApplication,
  { version, publicUrl }: { readonly version: string; readonly publicUrl: string | undefined },
  outline: ApiOutline,
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Event Store')
    .setDescription('Publish events into topics; have them delivered to webhooks, at least once and in order.')
    .setVersion(version)
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'The access token of POST /auth/login.',
    })
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'apiKey');
  if (publicUrl !== undefined) builder.addServer(publicUrl);
  describeRequests();
  for (const { name, description } of outline.tags) builder.addTag(name, description);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
  });
  document.webhooks = structuredClone(outline.webhooks);
  nameOperations(document);
  addPathParameters(document);
  describeParameters(document);
  addProblems(document);
  nullableToTypes(document);
  describeHeaders(document);
  addExamples(document, outline);
  return document;
}

/**
 * A handler that takes all path parameters as one object names none of them; a handler of several paths names some that one lacks. They are
 * listed in the order of the path, in which SDKs take them.
 */
function addPathParameters(document: OpenAPIObject): void {
  for (const { path, operation } of operationsOf(document)) {
    const given = (operation.parameters ?? []) as { in: string; name: string }[];
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(
      ([, name]) =>
        given.find((other) => other.in === 'path' && other.name === name) ??
        ({ name: name!, in: 'path', required: true, schema: { type: 'string' } } as const),
    );
    operation.parameters = [...inPath, ...given.filter((other) => other.in !== 'path')] as typeof operation.parameters;
  }
}

/** The decorators write OpenAPI 3.0, where null was a flag; in 3.1 it is a type. */
function nullableToTypes(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as { nullable?: boolean; type?: string | string[]; allOf?: object[]; anyOf?: object[] };
  if (schema.nullable === true) {
    delete schema.nullable;
    if (schema.allOf) {
      schema.anyOf = [...schema.allOf, { type: 'null' }];
      delete schema.allOf;
      delete schema.type;
    } else if (typeof schema.type === 'string') schema.type = [schema.type, 'null'];
  }
  for (const inner of Object.values(node)) nullableToTypes(inner);
}

/** Every operation may return a problem; the codes are those of the registry. */
function addProblems(document: OpenAPIObject): void {
  const codes = [...allErrors()].filter(([, { kind }]) => kind !== 'internal').map(([code]) => code);
  document.components ??= {};
  document.components.schemas ??= {};
  document.components.schemas['Problem'] = {
    type: 'object',
    description: 'RFC 9457 problem details.',
    required: ['type', 'title', 'status', 'instance', 'code', 'correlationId'],
    properties: {
      type: { type: 'string', example: 'urn:event-store:problem:validation-failed' },
      title: { type: 'string', example: 'The request is not valid.' },
      status: { type: 'integer', example: 400 },
      detail: { type: 'string', example: 'One field is not valid.' },
      instance: { type: 'string', example: '/tenants' },
      code: { type: 'string', enum: codes.toSorted(), example: 'validation-failed' },
      correlationId: { type: 'string', example: EXAMPLE_CORRELATION_ID },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['pointer', 'detail'],
          properties: {
            pointer: { type: 'string', example: '/name' },
            detail: { type: 'string', example: 'must be a string' },
          },
        },
      },
    },
  };
  const problem = {
    description: 'A problem (RFC 9457).',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  for (const { operation } of operationsOf(document)) operation.responses['default'] = { ...problem };
}

/** The document at /openapi.json, and if wanted Swagger UI at /docs, which forgets credentials when the page is closed. */
export function serveDocs(app: NestFastifyApplication, document: () => OpenAPIObject, ui: boolean): void {
  SwaggerModule.setup('docs', app, document, {
    ui,
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Event Store API',
    swaggerOptions: { displayRequestDuration: true, filter: true },
  });
}
