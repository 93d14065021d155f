import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { allErrors } from '../../kernel/domain-error.js';
import { describeParameters } from './parameter-schemas.js';
import { describeRequests } from './request-schemas.js';

/** The full contract, OpenAPI 3.1. */
export function openApiDocument(app: NestFastifyApplication, version: string, publicUrl?: string): OpenAPIObject {
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
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}_${method}`,
  });
  addPathParameters(document);
  describeParameters(document);
  addProblems(document);
  nullableToTypes(document);
  return document;
}

/** A handler that takes all parameters of its path as one object names none of them; one of several paths names some that one lacks. */
function addPathParameters(document: OpenAPIObject): void {
  for (const [path, item] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = item[method];
      if (!operation) continue;
      const given = ((operation.parameters ?? []) as { in?: string; name?: string }[]).filter(
        (parameter) => parameter.in !== 'path' || names.includes(parameter.name!),
      );
      const missing = names.filter((name) => !given.some((other) => other.in === 'path' && other.name === name));
      const parameters = missing.map((name) => ({
        name,
        in: 'path' as const,
        required: true,
        schema: { type: 'string' as const },
      }));
      operation.parameters = [...parameters, ...(given as typeof parameters)];
    }
  }
}

/** The decorators speak OpenAPI 3.0, where null was a flag; in 3.1 it is a type. */
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

/** Every operation may answer a problem; the codes are those of the registry. */
function addProblems(document: OpenAPIObject): void {
  const codes = [...allErrors()].filter(([, { kind }]) => kind !== 'internal').map(([code]) => code);
  document.components ??= {};
  document.components.schemas ??= {};
  document.components.schemas['Problem'] = {
    type: 'object',
    description: 'RFC 9457 problem details.',
    required: ['type', 'title', 'status', 'instance', 'code', 'correlationId'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      instance: { type: 'string' },
      code: { type: 'string', enum: codes.toSorted() },
      correlationId: { type: 'string' },
      errors: {
        type: 'array',
        items: { type: 'object', properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
      },
    },
  };
  const problem = {
    description: 'A problem (RFC 9457).',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  for (const path of Object.values(document.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = path[method];
      if (operation) operation.responses['default'] = problem;
    }
  }
}

/** The document at /openapi.json, and where it is wanted Swagger UI at /docs, which forgets credentials with its page. */
export function serveDocs(app: NestFastifyApplication, document: () => OpenAPIObject, ui: boolean): void {
  SwaggerModule.setup('docs', app, document, {
    ui,
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Event Store API',
    swaggerOptions: { displayRequestDuration: true },
  });
}
