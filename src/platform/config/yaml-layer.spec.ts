import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problems, SettingsError } from './problems.js';
import { flatten } from './settings-table.js';
import { readYamlLayer } from './yaml-layer.js';

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'settings-'));
  file = join(directory, 'extra.yaml');
});
afterAll(() => rmSync(directory, { recursive: true }));

function read(yaml: string): { values: Record<string, unknown>; problems: readonly string[] } {
  writeFileSync(file, yaml);
  return readFrom(file);
}

function readFrom(path: string): { values: Record<string, unknown>; problems: readonly string[] } {
  const values = new Map<string, unknown>();
  const problems = new Problems();
  readYamlLayer(path, flatten(), values, problems);
  try {
    problems.throwIfAny();
  } catch (error) {
    return { values: Object.fromEntries(values), problems: (error as SettingsError).problems };
  }
  return { values: Object.fromEntries(values), problems: [] };
}

describe('a YAML layer', () => {
  it('names its values by dotted path', () => {
    expect(read('http:\n  port: 80\nroles: [api]\n')).toEqual({
      values: { 'http.port': 80, roles: ['api'] },
      problems: [],
    });
  });

  it('may leave a group, or everything, without content', () => {
    expect(read('http:\n  # port: 80\n')).toEqual({ values: {}, problems: [] });
    expect(read('# nothing yet\n')).toEqual({ values: {}, problems: [] });
  });

  it('is refused for every key that is not a setting, at any depth', () => {
    expect(read('http:\n  prot: 80\n  tls:\n    cert: x\nhtpt:\nlog: loud\n').problems).toEqual([
      `http.prot in ${file} is not a known setting`,
      `http.tls.cert in ${file} is not a known setting`,
      `htpt in ${file} is not a known setting`,
      `log in ${file} is not a known setting`,
    ]);
  });

  it.each(['just words', '5', '- port\n- 80\n'])('is refused when it holds %j instead of settings', (yaml) => {
    expect(read(yaml).problems).toEqual([`${file} must hold settings by name`]);
  });

  it.each([
    ['an alias', 'admin:\n  password: *hunter2\n'],
    ['a tag', 'admin:\n  password: !hunter2 x\n'],
    ['a nested mapping', 'admin:\n  password: hunter2: x\n'],
    ['an escape', 'admin:\n  password: "\\hunter2"\n'],
    ['a key given twice', 'admin:\n  password: hunter2\n  password: hunter2\n'],
  ])('does not show a password that YAML parses as %s', (_, yaml) => {
    const { problems, values } = read(yaml);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join()).toContain(`${file} is not valid YAML`);
    expect(problems.join()).not.toContain('hunter2');
    expect(values).toEqual({});
  });

  it('says why a file cannot be read', () => {
    expect(readFrom(join(directory, 'nowhere.yaml')).problems).toEqual([
      `${join(directory, 'nowhere.yaml')} cannot be read (ENOENT)`,
    ]);
    expect(readFrom(directory).problems).toEqual([`${directory} cannot be read (EISDIR)`]);
  });
});
