import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorDefinition } from '../../src/kernel/domain-error.js';

const ROOT = join(import.meta.dirname, '../..');
const ROW = /^\|\s*`([a-z0-9-]+)`\s*\|\s*(.+?)\s*\|\s*(\d{3})\s*\|\s*\S.*\|$/;

interface Entry {
  readonly title: string;
  readonly status: number;
}

interface Registry {
  readonly all: ReadonlyMap<string, ErrorDefinition>;
  readonly statusOf: (kind: ErrorDefinition['kind']) => number;
}

/** All modules of the application, and all others that declare errors. */
async function loadRegistry(): Promise<Registry> {
  // Some companions of Nest are CommonJS and require it; Jest does not let them while it is still linking Nest itself.
  for (const first of ['reflect-metadata', '@nestjs/common', '@nestjs/core', '@nestjs/terminus', '@nestjs/swagger'])
    await import(first);
  await import('../../src/app.module.js');
  for (const file of declaringFiles()) await import(`../../src/${file.replace(/\.ts$/, '.js')}`);
  const { allErrors } = await import('../../src/kernel/domain-error.js');
  const { statusOf } = await import('../../src/platform/http/problem.js');
  return { all: allErrors(), statusOf };
}

function declaringFiles(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .filter((file) => /= defineErrors\(\{/.test(readFileSync(join(ROOT, 'src', file), 'utf8')));
}

function readDocs(text: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of text.split('\n')) {
    const [, code, title, status] = ROW.exec(line) ?? [];
    if (code === undefined) continue;
    if (entries.has(code)) throw new Error(`${code} is documented twice`);
    entries.set(code, { title: title!, status: Number(status) });
  }
  return entries;
}

/** Differences between docs and code, either way. */
function differences(declared: ReadonlyMap<string, Entry>, documented: ReadonlyMap<string, Entry>): string[] {
  const found: string[] = [];
  for (const [code, { title, status }] of declared) {
    const told = documented.get(code);
    if (!told) found.push(`${code} is not documented`);
    else if (told.title !== title) found.push(`${code} has the title "${title}", documented as "${told.title}"`);
    else if (told.status !== status) found.push(`${code} is answered ${status}, documented as ${told.status}`);
  }
  for (const code of documented.keys())
    if (!declared.has(code)) found.push(`${code} is documented, but nothing declares it`);
  return found;
}

describe('docs/errors.md', () => {
  let declared: Map<string, Entry>;
  const documented = readDocs(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8'));

  beforeAll(async () => {
    const { all, statusOf } = await loadRegistry();
    declared = new Map([...all].map(([code, { title, kind }]) => [code, { title, status: statusOf(kind) }]));
  });

  it('lists every error that the code declares, with its title and status, and no other', () => {
    expect(declared.size).toBeGreaterThan(50);
    expect(differences(declared, documented)).toEqual([]);
  });

  it('is checked: an error that is undocumented, undeclared or documented differently is reported', () => {
    const [[code, entry]] = [...declared] as [[string, Entry]];
    const withEntry = (name: string, planted: Entry): Map<string, Entry> => new Map([...declared, [name, planted]]);
    expect(differences(declared, declared)).toEqual([]);
    expect(differences(withEntry('planted', entry), declared)).toEqual(['planted is not documented']);
    expect(differences(declared, withEntry('planted', entry))).toEqual([
      'planted is documented, but nothing declares it',
    ]);
    expect(differences(declared, withEntry(code, { ...entry, title: 'Planted' }))).toEqual([
      `${code} has the title "${entry.title}", documented as "Planted"`,
    ]);
    expect(differences(declared, withEntry(code, { ...entry, status: 999 }))).toEqual([
      `${code} is answered ${entry.status}, documented as 999`,
    ]);
  });

  it('is read row by row: a code that is documented twice is refused', () => {
    const row = '| `planted-2` | Planted | 418   | When planted |';
    expect([...readDocs(row)]).toEqual([['planted-2', { title: 'Planted', status: 418 }]]);
    expect(() => readDocs(`${row}\n${row}`)).toThrow('planted-2 is documented twice');
  });
});
