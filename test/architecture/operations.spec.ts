import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnswerSchemas } from '../support/checks/answer-schemas.js';
import { routesOf, type ApiDocument, type Media, type Route } from '../support/api/openapi.js';

/** openapi.spec.ts checks that it is the one that is served. */
const document = JSON.parse(readFileSync(join(import.meta.dirname, 'openapi.snapshot.json'), 'utf8')) as ApiDocument;
const routes = routesOf(document);
const schemas = new AnswerSchemas(document);

/** A verb and its object: `listTopics`. Two verbs stand alone. */
const NAME = /^(login|logout|[a-z]+([A-Z][a-z]+)+)$/;
const SUMMARY = /^[A-Z][^.]*[^.]$/;
const SUMMARY_WORDS_MAX = 9;

const named = (list: readonly Route[]): string[] => list.map(({ operation }) => operation.operationId);
const repeated = (names: readonly string[]): string[] => names.filter((name, i) => names.indexOf(name) !== i);

const successesOf = ({ operation }: Route): [string, { readonly content?: Readonly<Record<string, Media>> }][] =>
  Object.entries(operation.responses).filter(([status]) => status.startsWith('2')) as never;

/** Responses that have a body without a schema. */
function undescribed(list: readonly Route[]): string[] {
  return list.flatMap((route) =>
    successesOf(route).flatMap(([status, { content = {} }]) => {
      const bodies = Object.values(content);
      const missing = status === '204' || status === '202' ? [] : bodies.length === 0 ? ['no body'] : [];
      return [...missing, ...bodies.filter(({ schema }) => !schema).map(() => 'no schema')].map(
        (fault) => `${route.name} ${status}: ${fault}`,
      );
    }),
  );
}

const SOURCES = join(import.meta.dirname, '../../src');
const controllers = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.controller.ts'))
  .map((file) => readFileSync(join(SOURCES, file), 'utf8'));

/** The declared return types of route methods: the end of the line that opens each. */
const returnsOf = (source: string): string[] =>
  source
    .split(/^  @(?:Get|Post|Put|Patch|Delete)\(/m)
    .slice(1)
    .map((route) => /^  [^\s@].*\{$/m.exec(route)![0].replace(/^.*\)(?:: (.*))? \{$/, '$1'));

const isVague = (type: string): boolean => type === '' || /\b(object|unknown|any|Record)\b/.test(type);

describe('the names of operations', () => {
  it('are a verb and its object, in camel case, each once', () => {
    expect(named(routes).filter((name) => !NAME.test(name))).toEqual([]);
    expect(repeated(named(routes))).toEqual([]);
  });

  it('are reported if they break the rules: planted ones are found', () => {
    expect(['Roles_list[0]', 'list', 'listTopics[1]', 'ListTopics'].filter((name) => NAME.test(name))).toEqual([]);
    expect(repeated(named([...routes, routes[0]!]))).toEqual([routes[0]!.operation.operationId]);
  });
});

describe('the texts for people', () => {
  it('include a unique summary of a few words for every operation', () => {
    const summaries = routes.map(({ operation }) => operation.summary);
    expect(
      summaries.filter((summary) => !SUMMARY.test(summary) || summary.split(' ').length > SUMMARY_WORDS_MAX),
    ).toEqual([]);
    expect(repeated(summaries)).toEqual([]);
  });

  it('include groups, each of which is described and used', () => {
    const used = new Set(routes.flatMap(({ operation }) => operation.tags));
    expect([...used].toSorted()).toEqual(document.tags.map(({ name }) => name).toSorted());
    expect(document.tags.filter(({ description }) => description.length < 20)).toEqual([]);
    expect(document.tags.slice(0, 3).map(({ name }) => name)).toEqual(['auth', 'tenants', 'namespaces']);
  });
});

describe('every success', () => {
  it('with a body has a schema', () => {
    expect(undescribed(routes)).toEqual([]);
  });

  it('is reported if it has none: planted ones are found', () => {
    const operation = {
      ...routes[0]!.operation,
      responses: { 200: {}, 201: { content: { 'text/csv': {} } }, 204: {} },
    };
    expect(undescribed([{ ...routes[0]!, name: 'planted', operation }])).toEqual([
      'planted 200: no body',
      'planted 201: no schema',
    ]);
  });

  it('has a type that its method declares', () => {
    const types = controllers.flatMap(returnsOf);
    expect(types.length).toBeGreaterThan(80);
    expect(types.filter(isVague)).toEqual([]);
  });

  it('is reported if a method declares none: planted ones are found', () => {
    const signatures = [
      'async a(): Promise<object> {',
      'b() {',
      '@Http(204)\n  c(\n    x: X,\n  ): Promise<unknown> {',
    ];
    const planted = signatures.map((signature) => `  @Get('x')\n  ${signature}\n    return 1;\n  }\n`).join('');
    expect(returnsOf(planted)).toEqual(['Promise<object>', '', 'Promise<unknown>']);
    expect(returnsOf(planted).filter(isVague)).toHaveLength(3);
  });

  it('has an example that its schema accepts', () => {
    const faults = routes.flatMap((route) =>
      successesOf(route).flatMap(([status, { content = {} }]) =>
        Object.entries(content).flatMap(([type, { example }]) => {
          const place = ['paths', route.path, route.method.toLowerCase(), 'responses', status, 'content', type];
          return schemas.faults([...place, 'schema'], example).map((fault) => `${route.name} ${status}: ${fault}`);
        }),
      ),
    );
    expect(faults).toEqual([]);
  });
});

describe('every request', () => {
  it('has an example that its schema accepts, or several', () => {
    const faults = routes.flatMap(({ name, path, method, operation }) =>
      Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, media]) => {
        const place = ['paths', path, method.toLowerCase(), 'requestBody', 'content', type, 'schema'];
        const values = media.examples ? Object.values(media.examples).map(({ value }) => value) : [media.example];
        return values.flatMap((value) => schemas.faults(place, value).map((fault) => `${name}: ${fault}`));
      }),
    );
    expect(faults).toEqual([]);
  });

  it('names in its path what exists after the demo', () => {
    const inPaths = routes.flatMap(({ name, operation }) =>
      (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => [name, one.name, one.example]),
    );
    expect(inPaths.filter(([, , example]) => typeof example !== 'string')).toEqual([]);
  });
});
