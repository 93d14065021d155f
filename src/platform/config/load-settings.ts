import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { flatten, FOREIGN, OWN_PREFIXES, type Setting, type Settings } from './settings-table.js';

export interface LoadOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Where default.yaml and its overlays are. */
  readonly configDir?: string;
}

/** Everything that is wrong with the settings, by name; values are never shown. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings are not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

export type Profile = 'development' | 'production' | 'test';

export const CONFIG_DIR = join(import.meta.dirname, '../../../config');

export function profileOf(env: NodeJS.ProcessEnv): Profile {
  return env['NODE_ENV'] === 'production' || env['NODE_ENV'] === 'test' ? env['NODE_ENV'] : 'development';
}

/** default.yaml, then the profile's overlay, then CONFIG_FILE, then the environment. Throws a SettingsError with all problems at once. */
export function loadSettings({ env, configDir = CONFIG_DIR }: LoadOptions): Settings {
  const problems: string[] = [];
  const files = [join(configDir, 'default.yaml'), join(configDir, `${profileOf(env)}.yaml`), env['CONFIG_FILE']];
  const values = new Map<string, unknown>();
  const settings = flatten();
  for (const file of files) if (file) readLayer(file, settings, values, problems);
  readEnvironment(env, settings, values, problems);
  const result = parseAll(settings, values, problems);
  if (problems.length === 0) crossCheck(result as Settings, problems);
  if (problems.length > 0) throw new SettingsError(problems);
  return deepFreeze(result) as Settings;
}

function readLayer(
  file: string,
  settings: ReadonlyMap<string, Setting>,
  values: Map<string, unknown>,
  problems: string[],
): void {
  try {
    const layer = (parseYaml(readFileSync(file, 'utf8')) ?? {}) as object;
    for (const [path, value] of leaves(layer, settings)) {
      if (settings.has(path)) values.set(path, value);
      else problems.push(`${path} in ${file} is not a known setting`);
    }
  } catch (error) {
    problems.push(`${file} cannot be read: ${(error as Error).message.split('\n', 1)[0]}`);
  }
}

/** The values of a YAML tree by dotted path. */
export function leaves(tree: object, settings: ReadonlyMap<string, Setting>, prefix = ''): [string, unknown][] {
  return Object.entries(tree).flatMap(([name, value]): [string, unknown][] => {
    const path = prefix + name;
    const branch = typeof value === 'object' && value !== null && !Array.isArray(value) && !settings.has(path);
    return branch ? leaves(value as object, settings, `${path}.`) : [[path, value]];
  });
}

/** An empty variable counts as not set. */
function readEnvironment(
  env: NodeJS.ProcessEnv,
  settings: ReadonlyMap<string, Setting>,
  values: Map<string, unknown>,
  problems: string[],
): void {
  const known = new Set<string>();
  for (const [path, { env: name, secret }] of settings) {
    known.add(name);
    if (env[name]) values.set(path, env[name]);
    if (!secret) continue;
    known.add(`${name}_FILE`);
    const file = env[`${name}_FILE`];
    if (!file) continue;
    if (existsSync(file)) values.set(path, readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
    else problems.push(`${name}_FILE names a file that does not exist`);
  }
  for (const name of Object.keys(env)) {
    if (known.has(name) || FOREIGN.has(name) || !OWN_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    problems.push(`${name} is not a known setting${suggestion(name, known)}`);
  }
}

function suggestion(name: string, known: ReadonlySet<string>): string {
  const [nearest] = [...known]
    .map((other) => ({ other, distance: distanceOf(name, other) }))
    .toSorted((a, b) => a.distance - b.distance);
  return nearest && nearest.distance <= 4 ? `; did you mean ${nearest.other}?` : '';
}

/** Levenshtein. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

function parseAll(
  settings: ReadonlyMap<string, Setting>,
  values: ReadonlyMap<string, unknown>,
  problems: string[],
): object {
  const result: Record<string, unknown> = {};
  for (const [path, { env, parse }] of settings) {
    try {
      place(result, path.split('.'), parse(values.get(path)));
    } catch (error) {
      problems.push(`${path} (${env}) ${(error as Error).message}`);
    }
  }
  return result;
}

function place(tree: Record<string, unknown>, [name, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) tree[name!] = value;
  else place((tree[name!] ??= {}) as Record<string, unknown>, rest, value);
}

function crossCheck({ storage, security, delivery, roles, publish }: Settings, problems: string[]): void {
  if (storage.databaseUrl && !security.secretKey) {
    problems.push('security.secretKey (SECRET_KEY) is required with DATABASE_URL, and the same on all instances');
  }
  if (delivery.heartbeatMs * 2 >= delivery.leaseTtlMs) {
    problems.push(
      'delivery.heartbeatMs (DELIVERY_HEARTBEAT_MS) must be less than half of delivery.leaseTtlMs (DELIVERY_LEASE_TTL_MS)',
    );
  }
  if (roles.length === 0) problems.push('roles (ROLES) must name at least one of api, worker');
  if (publish.eventBytesMax > publish.batchBytesMax) {
    problems.push(
      'publish.eventBytesMax (PUBLISH_EVENT_BYTES_MAX) must not be above publish.batchBytesMax (PUBLISH_BATCH_BYTES_MAX)',
    );
  }
}

function deepFreeze(value: object): object {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
