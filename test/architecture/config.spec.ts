import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { CONFIG_DIR } from '../../src/platform/config/index.js';
import { flatten } from '../../src/platform/config/settings-table.js';

/** Dotted path → the comment on the line of the key. */
function documented(yaml: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (map: YAMLMap<Scalar<string>, unknown>, prefix: string): void => {
    for (const { key, value } of map.items as Pair<
      Scalar<string>,
      { comment?: string; items?: unknown[] } & YAMLMap
    >[]) {
      const path = prefix + key.value;
      if (
        value &&
        'items' in value &&
        value.items?.some((item) => typeof item === 'object' && item !== null && 'key' in item)
      ) {
        visit(value as never, `${path}.`);
      } else found.set(path, value?.comment ?? '');
    }
  };
  visit(parseDocument(yaml).contents as never, '');
  return found;
}

/** What differs between the table in the code and the documented defaults. */
function differences(yaml: string): string[] {
  const comments = documented(yaml);
  const table = flatten();
  return [
    ...[...table.keys()].filter((path) => !comments.has(path)).map((path) => `${path} is not documented`),
    ...[...comments.keys()]
      .filter((path) => !table.has(path))
      .map((path) => `${path} is documented, but does not exist`),
    ...[...table]
      .filter(([path, { env }]) => !new RegExp(`^ ${env}\\. .{10,}`).test(comments.get(path) ?? ''))
      .map(([path, { env }]) => `${path} does not begin its comment with ${env}`),
  ];
}

describe('config/default.yaml', () => {
  const yaml = readFileSync(join(CONFIG_DIR, 'default.yaml'), 'utf8');

  it('documents every setting with its environment variable, and nothing else', () => {
    expect(flatten().size).toBeGreaterThan(35);
    expect(differences(yaml)).toEqual([]);
  });

  it('is seen to differ when a key is missing, unknown or names another variable', () => {
    const doctored = yaml
      .replace(/^ {2}port: .*$/m, '  prot: 3000 # PORT. A key that does not exist.')
      .replace('# HOST. ', '# HOSTNAME. ');
    expect(differences(doctored)).toEqual([
      'http.port is not documented',
      'http.prot is documented, but does not exist',
      'http.port does not begin its comment with PORT',
      'http.host does not begin its comment with HOST',
    ]);
  });
});
