import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as ts from 'typescript';

const CONTEXTS = join(import.meta.dirname, '../../src/contexts');

/** What a class expects of the one that makes it, beside it, and why it is no port. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'topics/application/read-turns.ts: Schedule': 'time, which tests replace',
  'delivery/application/lane.ts: LaneReport': 'one of the tools of a lane, all of which it is given',
  'delivery/adapters/remote-lane.ts: LaneHost': 'the other half of one adapter',
};

/** Classes and interfaces that only declare what others implement. */
function portsIn(file: string, text: string): string[] {
  const isPort = (node: ts.Statement): node is ts.ClassDeclaration =>
    ts.isClassDeclaration(node) &&
    node.members.some(ts.isMethodDeclaration) &&
    node.members.every((member) => (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Abstract) !== 0);
  const isListener = (node: ts.Statement): node is ts.InterfaceDeclaration =>
    ts.isInterfaceDeclaration(node) &&
    node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true &&
    node.members.length > 1 &&
    node.members.every(ts.isMethodSignature);
  const { statements } = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  return statements.filter((node) => isPort(node) || isListener(node)).map(({ name }) => `${file}: ${name?.text}`);
}

describe('a port', () => {
  const files = globSync('**/*.ts', { cwd: CONTEXTS });
  const found = files.flatMap((file) => portsIn(file, readFileSync(join(CONTEXTS, file), 'utf8')));

  it('is in the ports.ts of its folder', () => {
    expect(found.length).toBeGreaterThan(10);
    const elsewhere = found.filter((port) => basename(port.split(':')[0]!) !== 'ports.ts');
    expect(elsewhere.toSorted()).toEqual(Object.keys(EXCEPTIONS).toSorted());
  });

  it('is reported if it is elsewhere', () => {
    const planted = 'export abstract class Clocks { abstract now(): number; }';
    expect(portsIn('identity/application/clocks.ts', planted)).toEqual(['identity/application/clocks.ts: Clocks']);
    const listener = 'export interface Listener { began(): void; ended(): void; }';
    expect(portsIn('tenancy/application/life.ts', listener)).toEqual(['tenancy/application/life.ts: Listener']);
  });

  it('is not a class with an implementation, and not a set of options', () => {
    const others = `export abstract class Half { abstract now(): number; later() { return this.now() + 1; } }
      export abstract class Options { abstract readonly flushMs: number; }`;
    expect(portsIn('a.ts', others)).toEqual([]);
  });
});
