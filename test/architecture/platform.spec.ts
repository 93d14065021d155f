import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PLATFORM = join(import.meta.dirname, '../../src/platform');

/** Modules that are global, and why they must be. */
const GLOBAL: Readonly<Record<string, string>> = {
  'startup.module.ts: @Global':
    'values from outside of Nest come by one import with arguments: settings, and the store that is up',
  'startup.module.ts: forRoot': 'nestjs-pino: everything may write to the log',
  'sagas/saga-bus.ts: forRoot': 'Nest finds the handlers of commands and queries in all modules',
};

/** Permissions and deliveries are the contexts' business; the words that others need are in the kernel. */
const DECLARED =
  /(?:class|interface|type|const|function|enum) (\w*(?:Principal|Ceiling|Permission|Consumer|Namespace|Delivery)\w*|Access|OWN_PERMISSIONS)\b/g;
const COUNTED = /'(event_store_\w*(?:consumer|deliver|publish|duplicate|tenant)\w*)'/g;
const TOPICS_NAMED = /^(?:http|telemetry|audit|egress|mail)\/.*/;

/** Guards of routes may name what they carry. */
const CARRIED = new Set(['http/access.ts: RequiredPermission']);

const sources = readdirSync(PLATFORM, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file): [string, string] => [file, readFileSync(join(PLATFORM, file), 'utf8')]);

const globalsIn = (file: string, text: string): string[] => [
  ...new Set([...text.matchAll(/@Global|global: true|forRoot/g)].map(([found]) => `${file}: ${found}`)),
];

function businessIn(file: string, text: string): string[] {
  const words = [...text.matchAll(DECLARED), ...text.matchAll(COUNTED)].map(([, word]) => word!);
  if (TOPICS_NAMED.test(file) && text.includes('MANAGEMENT_TOPICS')) words.push('MANAGEMENT_TOPICS');
  return words.map((word) => `${file}: ${word}`).filter((found) => !CARRIED.has(found));
}

describe('the platform', () => {
  it('is imported module by module: only those that must be are global', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap(([file, text]) => globalsIn(file, text)).toSorted()).toEqual(Object.keys(GLOBAL).toSorted());
    expect(globalsIn('planted.ts', '@Global()\n@Module({})')).toEqual(['planted.ts: @Global']);
  });

  it('declares and counts nothing of the business', () => {
    expect(sources.flatMap(([file, text]) => businessIn(file, text))).toEqual([]);
  });

  it.each([
    ['Principal', 'http/planted.ts', 'export interface Principal {}'],
    ['Access', 'http/planted.ts', 'export interface Access {}'],
    ['KeyCeiling', 'http/planted.ts', 'export class KeyCeiling {}'],
    ['OWN_PERMISSIONS', 'http/planted.ts', 'export const OWN_PERMISSIONS = [];'],
    ['ConsumerLag', 'telemetry/planted.ts', 'export interface ConsumerLag {}'],
    ['event_store_delivery_lanes', 'telemetry/planted.ts', "const LANES = 'event_store_delivery_lanes';"],
    ['MANAGEMENT_TOPICS', 'http/planted.ts', "import { MANAGEMENT_TOPICS } from '../../kernel/aggregate.js';"],
  ])('is watched: %s is seen', (word, file, text) => {
    expect(businessIn(file, text)).toContain(`${file}: ${word}`);
  });
});
