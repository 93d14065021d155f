import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';

const CONTEXTS = join(import.meta.dirname, '../../src/contexts');

/** Controllers that get more than the buses, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'audit/adapters/system-audit.controller.ts': 'records are written to the answer while they are read',
  'audit/adapters/tenant-audit.controller.ts': 'records are written to the answer while they are read',
  'consumers/adapters/consumers.controller.ts': 'the response waits until the lanes know of the change',
  'operations/metrics.controller.ts': 'metrics are no use case',
  'topics/adapters/publish.controller.ts': 'what is published is counted where the answer is known',
  'topics/adapters/events.controller.ts': 'events are written to the answer while they are read',
};

/** Constructor parameters of a controller that come from its context or another one. */
function servicesIn(file: string, text: string): string[] {
  const { statements } = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const ofContexts = statements.filter(ts.isImportDeclaration).filter(({ moduleSpecifier }) => {
    const path = (moduleSpecifier as ts.StringLiteral).text;
    return path.startsWith('.') && !/\/(platform|kernel)\//.test(path);
  });
  const names = new Set(
    ofContexts.flatMap(({ importClause }) => {
      const bindings = importClause?.namedBindings;
      return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
    }),
  );
  const constructors = statements
    .filter(ts.isClassDeclaration)
    .flatMap(({ members }) => members.filter(ts.isConstructorDeclaration));
  const types = constructors.flatMap(({ parameters }) => parameters.map(({ type }) => type?.getText() ?? ''));
  return types.filter((type) => names.has(type)).map((type) => `${file}: ${type}`);
}

describe('a controller', () => {
  const files = globSync('*/**/*.controller.ts', { cwd: CONTEXTS });
  const found = files.flatMap((file) => servicesIn(file, readFileSync(join(CONTEXTS, file), 'utf8')));

  it('calls use cases over the buses', () => {
    expect(files.length).toBeGreaterThan(15);
    const excepted = Object.keys(EXCEPTIONS);
    expect(found.filter((service) => !excepted.some((file) => service.startsWith(file)))).toEqual([]);
  });

  it('is reported if it calls a service', () => {
    const planted = `import { Logins } from '../application/logins.js';
      import { Clock } from '../../../kernel/clock.js';
      export class AuthController { constructor(private readonly logins: Logins, private readonly clock: Clock) {} }`;
    expect(servicesIn('a.controller.ts', planted)).toEqual(['a.controller.ts: Logins']);
  });
});
