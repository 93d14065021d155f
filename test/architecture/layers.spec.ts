import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

const { default: rules, ORDER } = (await import(join(ROOT, '.dependency-cruiser.mjs'))) as {
  readonly default: { readonly forbidden: readonly { readonly name: string }[] };
  readonly ORDER: readonly string[];
};

interface Summary {
  readonly totalCruised: number;
  readonly violations: readonly { rule: { name: string }; from: string; to: string }[];
}

function cruise(directories: readonly string[]): Summary[] {
  const script = join(ROOT, 'test/support/checks/cruise.mjs');
  const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...directories], options);
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Summary[];
}

/** A tree with only the given files. */
function plant(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'planted-'));
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  symlinkSync(join(ROOT, 'tsconfig.json'), join(directory, 'tsconfig.json'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

const PLANTED: readonly [rule: string, files: Record<string, string>][] = [
  [
    'kernel-imports-nothing-of-ours',
    { 'src/kernel/a.ts': "import '../platform/b.js';", 'src/platform/b.ts': 'export {};' },
  ],
  [
    'platform-knows-no-context',
    { 'src/platform/a.ts': "import '../contexts/topics/index.js';", 'src/contexts/topics/index.ts': 'export {};' },
  ],
  [
    'domain-is-pure',
    { 'src/contexts/topics/domain/a.ts': "import { Injectable } from '@nestjs/common'; void Injectable;" },
  ],
  [
    'application-knows-no-adapter',
    {
      'src/contexts/topics/application/a.ts': "import '../adapters/b.js';",
      'src/contexts/topics/adapters/b.ts': 'export {};',
    },
  ],
  [
    'contexts-show-one-face',
    {
      'src/contexts/topics/adapters/a.ts': "import '../../tenancy/domain/b.js';",
      'src/contexts/tenancy/domain/b.ts': 'export {};',
    },
  ],
  ...ORDER.slice(0, -1).map((name, i): [string, Record<string, string>] => [
    `${name}-knows-no-later-context`,
    {
      [`src/contexts/${name}/adapters/a.ts`]: `import '../../${ORDER[i + 1]}/index.js';`,
      [`src/contexts/${ORDER[i + 1]}/index.ts`]: 'export {};',
    },
  ]),
  ['nobody-imports-tests', { 'src/a.ts': "import '../test/b.js';", 'test/b.ts': 'export {};' }],
  [
    'faces-show-no-dtos',
    {
      'src/contexts/topics/index.ts': "export { ADto } from './adapters/a.dto.js';",
      'src/contexts/topics/adapters/a.dto.ts': 'export class ADto {}',
    },
  ],
  [
    'app-imports-faces',
    {
      'src/app.ts': "import './contexts/topics/topics.module.js';",
      'src/contexts/topics/topics.module.ts': 'export {};',
    },
  ],
  ['no-cycles', { 'src/kernel/a.ts': "import './b.js';", 'src/kernel/b.ts': "import './a.js';" }],
];

let product: Summary;
let planted: Summary[];

beforeAll(() => {
  const directories = PLANTED.map(([, files]) => plant(files));
  try {
    [product, ...planted] = cruise([ROOT, ...directories]) as [Summary, ...Summary[]];
  } finally {
    for (const directory of directories) rmSync(directory, { recursive: true });
  }
});

describe('layers', () => {
  it('are kept by every module of the product', () => {
    expect(product.totalCruised).toBeGreaterThan(150);
    expect(product.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  it('cover every context', () => {
    const contexts = readdirSync(join(ROOT, 'src/contexts'));
    expect(contexts.toSorted()).toEqual([...ORDER].toSorted());
  });

  it('have a planted violation for every rule', () => {
    expect(PLANTED.map(([rule]) => rule).toSorted()).toEqual(rules.forbidden.map(({ name }) => name).toSorted());
  });

  it.each(PLANTED.map(([rule], i) => [rule, i] as const))('a violation of %s is reported', (rule, i) => {
    expect(planted[i]!.violations.map((violation) => violation.rule.name)).toContain(rule);
  });
});
