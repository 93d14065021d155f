import { readFileSync } from 'node:fs';
import type { Problems } from './problems.js';
import type { Setting } from './settings-table.js';

/** Only this product has variables with these prefixes: one that is not a setting is a mistake. */
const OWN_PREFIXES = ['DELIVERY_', 'PUBLISH_', 'ADMIN_', 'EVENT_STORE_'];
/** Others use these as well (HTTP_PROXY, READ_ONLY): only a name close to one of ours is reported as a mistake. */
const SHARED_PREFIXES = ['HTTP_', 'READ_', 'APPEND_'];
const NEAR = 3;

/** Lays the environment over `values`; an empty variable counts as not set. */
export function readEnvironment(
  env: NodeJS.ProcessEnv,
  settings: ReadonlyMap<string, Setting>,
  values: Map<string, unknown>,
  problems: Problems,
): void {
  const known = new Set<string>();
  for (const [path, { env: name, secret }] of settings) {
    known.add(name);
    if (env[name]) values.set(path, env[name]);
    if (!secret) continue;
    known.add(`${name}_FILE`);
    const file = env[`${name}_FILE`];
    if (file) readSecretFile({ path, name, file, both: Boolean(env[name]) }, values, problems);
  }
  for (const name of Object.keys(env)) {
    if (!known.has(name) && !isServiceLink(name, env[name])) reportMisspelt(name, known, problems);
  }
}

interface SecretFile {
  readonly path: string;
  readonly name: string;
  readonly file: string;
  readonly both: boolean;
}

function readSecretFile(
  { path, name, file, both }: SecretFile,
  values: Map<string, unknown>,
  problems: Problems,
): void {
  // Whichever won, someone would have rotated the other.
  if (both) return problems.addFor(path, `${name} and ${name}_FILE are both set; unset one of them`);
  try {
    values.set(path, readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    problems.addFor(path, `${path} (${name}_FILE) names a file that cannot be read (${code})`);
  }
}

/**
 * Kubernetes sets variables in every container for the services beside it: one named `delivery` gives DELIVERY_SERVICE_HOST,
 * DELIVERY_PORT=tcp://… and so on. Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function isServiceLink(name: string, value = ''): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  // A user may well mean PORT by this; no user means it as an address.
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}

function reportMisspelt(name: string, known: ReadonlySet<string>, problems: Problems): void {
  const begins = (prefix: string): boolean => name.startsWith(prefix);
  const own = OWN_PREFIXES.some(begins);
  if (!own && !SHARED_PREFIXES.some(begins)) return;
  const meant = nearest(name, known);
  if (meant) problems.add(`${name} is not a known setting; did you mean ${meant}?`);
  else if (own) problems.add(`${name} is not a known setting`);
}

/** HTTP_PORT is near PORT, HTTP_STREAM_MAX near HTTP_STREAMS_MAX. */
function nearest(name: string, known: ReadonlySet<string>): string | undefined {
  const prefix = [...OWN_PREFIXES, ...SHARED_PREFIXES].find((one) => name.startsWith(one)) ?? '';
  const rest = name.slice(prefix.length);
  if (known.has(rest)) return rest;
  let found: string | undefined;
  let best = NEAR + 1;
  for (const other of known) {
    const distance = distanceOf(name, other);
    if (distance < best) [found, best] = [other, distance];
  }
  return found;
}

/** Levenshtein distance. */
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
