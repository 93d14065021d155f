import { join } from 'node:path';
import { crossCheck } from './cross-checks.js';
import { readEnvironment } from './environment-layer.js';
import { Problems } from './problems.js';
import { flatten, type Setting, type Settings } from './settings-table.js';
import { readYamlLayer } from './yaml-layer.js';

export interface LoadOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The directory of default.yaml and its overlays. */
  readonly configDir?: string;
}

export type Profile = 'development' | 'production' | 'test';

export const CONFIG_DIR = join(import.meta.dirname, '../../../config');

export function profileOf(env: NodeJS.ProcessEnv): Profile {
  return env['NODE_ENV'] === 'production' || env['NODE_ENV'] === 'test' ? env['NODE_ENV'] : 'development';
}

/**
 * default.yaml, then the overlay of the profile, then CONFIG_FILE, then the environment. Throws a SettingsError with all problems at once: each
 * layer, each setting and each rule between settings is checked, whatever went wrong before.
 */
export function loadSettings({ env, configDir = CONFIG_DIR }: LoadOptions): Settings {
  const problems = new Problems();
  const files = [join(configDir, 'default.yaml'), join(configDir, `${profileOf(env)}.yaml`), env['CONFIG_FILE']];
  const values = new Map<string, unknown>();
  const settings = flatten();
  for (const file of files) if (file) readYamlLayer(file, settings, values, problems);
  readEnvironment(env, settings, values, problems);
  const loaded = parseAll(settings, values, problems);
  crossCheck(loaded, settings, problems);
  problems.throwIfAny();
  return deepFreeze(loaded) as Settings;
}

function parseAll(
  settings: ReadonlyMap<string, Setting>,
  values: ReadonlyMap<string, unknown>,
  problems: Problems,
): object {
  const loaded: Record<string, unknown> = {};
  for (const [path, { env, parse }] of settings) {
    if (problems.concerns(path)) continue;
    try {
      place(loaded, path.split('.'), parse(values.get(path)));
    } catch (error) {
      problems.addFor(path, `${path} (${env}) ${(error as Error).message}`);
    }
  }
  return loaded;
}

function place(tree: Record<string, unknown>, [name, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) tree[name!] = value;
  else place((tree[name!] ??= {}) as Record<string, unknown>, rest, value);
}

function deepFreeze(value: object): object {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
