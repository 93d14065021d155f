import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import { CONFIG_DIR, loadSettings } from '../../src/platform/config/index.js';
import { flatten, type Setting } from '../../src/platform/config/settings-table.js';

/** Dotted path → the comment right above the key, as one line. */
function documented(yaml: string): Map<string, string> {
  const found = new Map<string, string>();
  const lines = yaml.split('\n');
  const visit = (map: unknown, prefix: string): void => {
    if (!isMap(map)) throw new Error('default.yaml holds settings by name');
    for (const { key, value } of map.items) {
      if (!isScalar(key)) throw new Error('a setting is named by a plain word');
      if (isMap(value)) visit(value, `${prefix}${String(key.value)}.`);
      else found.set(`${prefix}${String(key.value)}`, commentAbove(lines, lineOf(yaml, key.range![0])));
    }
  };
  visit(parseDocument(yaml).contents, '');
  return found;
}

const lineOf = (yaml: string, offset: number): number => yaml.slice(0, offset).split('\n').length - 1;

function commentAbove(lines: readonly string[], line: number): string {
  let first = line;
  while (first > 0 && /^\s*#/.test(lines[first - 1]!)) first--;
  const comment = lines.slice(first, line).map((text) => text.replace(/^\s*# ?/, ''));
  return comment.join(' ');
}

/** `1000 to 60000`, for a setting that is a number: its parser reports them when the value is not one. */
function boundsOf({ parse }: Setting): string | undefined {
  try {
    parse({});
    return undefined;
  } catch (error) {
    return /from (\d+ to \d+)/.exec((error as Error).message)?.[1];
  }
}

/** Differences between the table in the code and the documented defaults. */
function differences(yaml: string): string[] {
  const comments = documented(yaml);
  const table = flatten();
  const found = [...comments.keys()]
    .filter((path) => !table.has(path))
    .map((path) => `${path} is documented, but does not exist`);
  for (const [path, setting] of table) {
    const comment = comments.get(path);
    const bounds = boundsOf(setting);
    if (comment === undefined) found.push(`${path} is not documented`);
    else if (!new RegExp(`^${setting.env}\\. \\S.{20,}\\.$`).test(comment))
      found.push(`${path} does not explain ${setting.env}`);
    else if (bounds && !comment.includes(bounds)) found.push(`${path} does not say that it goes from ${bounds}`);
  }
  return found;
}

describe('config/default.yaml', () => {
  const yaml = readFileSync(join(CONFIG_DIR, 'default.yaml'), 'utf8');

  it('documents every setting with its environment variable and bounds, and nothing else', () => {
    expect(flatten().size).toBeGreaterThan(35);
    expect([...flatten().values()].filter((setting) => boundsOf(setting)).length).toBeGreaterThan(20);
    expect(differences(yaml)).toEqual([]);
  });

  it('is reported when a key is missing, unknown, undocumented, or documented with another variable or bound', () => {
    const doctored = yaml
      .replace('\n  port: 3000', '\n  prot: 3000')
      .replace('# HOST. ', '# HOSTNAME. ')
      .replace(/# LOG_LEVEL\. .*\n {2}level/, 'level')
      .replace('1 to 100000.', '1 to 10000.');
    expect(differences(doctored)).toEqual([
      'http.prot is documented, but does not exist',
      'http.port is not documented',
      'http.host does not explain HOST',
      'http.streamsMax does not say that it goes from 1 to 100000',
      'log.level does not explain LOG_LEVEL',
    ]);
  });

  it('gives each variable to one setting only', () => {
    const names = [...flatten().values()].flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env]));
    expect(names).toHaveLength(new Set(names).size);
  });

  it('has defaults that every profile starts with', () => {
    for (const profile of ['development', 'production', 'test']) {
      expect(loadSettings({ env: { NODE_ENV: profile } })).toHaveProperty('http.port', 3_000);
    }
  });
});
