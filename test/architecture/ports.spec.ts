import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as ts from 'typescript';

const CONTEXTS = join(import.meta.dirname, '../../src/contexts');

/** Classes that only declare what others implement. */
function portsIn(file: string, text: string): string[] {
  const isPort = (node: ts.Statement): node is ts.ClassDeclaration =>
    ts.isClassDeclaration(node) &&
    node.members.some(ts.isMethodDeclaration) &&
    node.members.every((member) => (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Abstract) !== 0);
  const { statements } = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  return statements.filter(isPort).map(({ name }) => `${file}: ${name?.text}`);
}

describe('a port', () => {
  const files = globSync('**/*.ts', { cwd: CONTEXTS });
  const found = files.flatMap((file) => portsIn(file, readFileSync(join(CONTEXTS, file), 'utf8')));

  it('is in the ports.ts of its folder', () => {
    expect(found.length).toBeGreaterThan(10);
    expect(found.filter((port) => basename(port.split(':')[0]!) !== 'ports.ts')).toEqual([]);
  });

  it('is reported if it is elsewhere', () => {
    const planted = 'export abstract class Clocks { abstract now(): number; }';
    expect(portsIn('identity/application/clocks.ts', planted)).toEqual(['identity/application/clocks.ts: Clocks']);
  });

  it('is not a class with an implementation, and not a set of options', () => {
    const others = `export abstract class Half { abstract now(): number; later() { return this.now() + 1; } }
      export abstract class Options { abstract readonly flushMs: number; }`;
    expect(portsIn('a.ts', others)).toEqual([]);
  });
});
