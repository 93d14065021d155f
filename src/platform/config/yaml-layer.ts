import { readFileSync } from 'node:fs';
import { isMap, parseDocument } from 'yaml';
import type { Problems } from './problems.js';
import type { Setting } from './settings-table.js';

/** Lays the values of a YAML file over `values`, by dotted path. */
export function readYamlLayer(
  file: string,
  settings: ReadonlyMap<string, Setting>,
  values: Map<string, unknown>,
  problems: Problems,
): void {
  let yaml: string;
  try {
    yaml = readFileSync(file, 'utf8');
  } catch (error) {
    problems.add(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return;
  }
  for (const [path, value] of leaves(parseTree(file, yaml, problems), settings)) {
    if (settings.has(path)) values.set(path, value);
    else problems.add(`${path} in ${file} is not a known setting`);
  }
}

/**
 * The messages of the parser are not passed on: they quote the source, and a password that begins with `*` is an unresolved alias to it. Its
 * warnings are problems, too: an unknown tag changes the value.
 */
function parseTree(file: string, yaml: string, problems: Problems): object {
  const document = parseDocument(yaml);
  const faults = [...document.errors, ...document.warnings];
  for (const { code, linePos } of faults) {
    problems.add(`${file} is not valid YAML${linePos ? ` in line ${linePos[0].line}` : ''} (${code})`);
  }
  if (faults.length > 0 || document.contents === null) return {};
  if (!isMap(document.contents)) {
    problems.add(`${file} must hold settings by name`);
    return {};
  }
  try {
    return document.toJS() as object;
  } catch {
    problems.add(`${file} is not valid YAML (an alias cannot be resolved)`);
    return {};
  }
}

/** A group without content, all of it commented out, is not a mistake. */
function leaves(tree: object, settings: ReadonlyMap<string, Setting>, prefix = ''): [string, unknown][] {
  return Object.entries(tree).flatMap(([name, value]): [string, unknown][] => {
    const path = prefix + name;
    if (settings.has(path)) return [[path, value]];
    if (value === null && isGroup(path, settings)) return [];
    const branch = typeof value === 'object' && value !== null && !Array.isArray(value);
    return branch ? leaves(value as object, settings, `${path}.`) : [[path, value]];
  });
}

const isGroup = (path: string, settings: ReadonlyMap<string, Setting>): boolean =>
  settings.keys().some((known) => known.startsWith(`${path}.`));
