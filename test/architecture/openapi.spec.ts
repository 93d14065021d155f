import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startApp, type TestApp } from '../support/server/app.js';
import { danglingRefs, openObjects, routesOf, undeclaredRoutes, type ApiDocument } from '../support/api/openapi.js';

const SNAPSHOT = join(import.meta.dirname, 'openapi.snapshot.json');
const NAMES = join(import.meta.dirname, 'operations.snapshot.json');
const SOURCES = join(import.meta.dirname, '../../src');
/** Operations without credentials. All others declare the permission that they require. */
const OPEN = [
  'POST /auth/login',
  'POST /auth/refresh',
  'POST /auth/password/reset-request',
  'POST /auth/password/reset',
  'GET /health/live',
  'GET /health/ready',
];

let app: TestApp;
let document: ApiDocument;

beforeAll(async () => {
  app = await startApp();
  document = (await app.client.with({}).get<ApiDocument>('/openapi.json')).body;
});
afterAll(() => app?.stop());

describe('the contract', () => {
  it('is the one that was reviewed: run with UPDATE_SNAPSHOT=1 to accept a change', () => {
    const served = `${JSON.stringify(document, null, 2)}\n`;
    if (process.env['UPDATE_SNAPSHOT']) writeFileSync(SNAPSHOT, served);
    expect(document).toEqual(JSON.parse(readFileSync(SNAPSHOT, 'utf8')));
  });

  it('keeps the names of operations that SDKs were generated with: renaming them takes a new major version', () => {
    const named = Object.fromEntries(routesOf(document).map(({ name, operation }) => [operation.operationId, name]));
    if (process.env['UPDATE_SNAPSHOT']) writeFileSync(NAMES, `${JSON.stringify(named, null, 2)}\n`);
    expect(named).toEqual(JSON.parse(readFileSync(NAMES, 'utf8')));
  });

  it('is OpenAPI 3.1 without dangling references', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(danglingRefs(document)).toEqual([]);
  });

  it('names each parameter of a path', () => {
    for (const { name, path, operation } of routesOf(document)) {
      const named = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map((parameter) => parameter.name);
      expect([name, named.toSorted()]).toEqual([
        name,
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).toSorted(),
      ]);
    }
  });

  it('describes each parameter, and the fields of each request object', () => {
    const vague: string[] = [];
    for (const { name, operation } of routesOf(document)) {
      for (const parameter of (operation.parameters ?? []) as readonly { name: string; schema?: { type?: unknown } }[])
        if (typeof parameter.schema?.type !== 'string') vague.push(`${name} ${parameter.name}`);
      vague.push(...openObjects(document, operation.requestBody).map((place) => `${name} ${place}`));
    }
    // Data and metadata are anything; a CloudEvent has any attributes; a consumer has headers of its own.
    expect(vague.filter((place) => !/\/(metadata|headers)$|cloudevents/.test(place))).toEqual([]);
  });

  it('leaves out no route but the metrics, which have tests of their own', () => {
    const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const hiding = sources.filter((file) => /@ApiExclude\w+\(/.test(readFileSync(join(SOURCES, file), 'utf8')));
    expect(hiding).toEqual([join('contexts', 'operations', 'metrics.controller.ts')]);
  });

  it('has no two classes with the same name, of which one would describe the bodies of the other', () => {
    const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const classes = sources.flatMap((file) =>
      [...readFileSync(join(SOURCES, file), 'utf8').matchAll(/class (\w+(?:Dto|Body|Page|Query))\b/g)].map(
        (match) => match[1]!,
      ),
    );
    expect(classes.length).toBeGreaterThan(15);
    expect(classes.filter((name, i) => classes.indexOf(name) !== i)).toEqual([]);
  });
});

describe('permissions', () => {
  it('are declared by every route that is not public', () => {
    expect(routesOf(document).length).toBeGreaterThan(30);
    expect(undeclaredRoutes(document, OPEN)).toEqual([]);
  });

  it('are reported as missing: a planted route without one is found, and one that is both public and declared', () => {
    const open = document.paths['/health/live']!['get']!;
    const planted = { ...document, paths: { ...document.paths, '/planted': { get: open } } };
    expect(undeclaredRoutes(planted, OPEN)).toEqual(['GET /planted']);
    expect(undeclaredRoutes(document, [...OPEN, 'GET /tenants'])).toEqual(['GET /tenants']);
    expect(undeclaredRoutes(document, OPEN.slice(1))).toEqual(['POST /auth/login']);
  });

  it('are required: without credentials each of these routes is 401', async () => {
    const anonymous = app.client.with({});
    const closed = routesOf(document).filter(({ name }) => !OPEN.includes(name));
    for (const { name, method, path } of closed) {
      const body = ['POST', 'PATCH', 'PUT'].includes(method) ? {} : undefined;
      const { status } = await anonymous.request(method, path.replaceAll(/\{\w+\}/g, 'x'), body);
      expect([name, status]).toEqual([name, 401]);
    }
  });
});
