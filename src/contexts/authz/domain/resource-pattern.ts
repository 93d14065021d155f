import { globCovers, matchesGlob } from '../../../kernel/glob.js';
import { authzError } from './authz-errors.js';

/*
 * A resource is a path of types and ids: `tenants/acme/namespaces/shop/topics/orders`; `system` is above all of them. A pattern names
 * resources: by a segment, by `*` (any segment), by a prefix (`orders-*`), or by `**` at the end (any rest). What is granted on a resource
 * holds for everything below it. Segments that begin with `$` belong to the system: no wildcard matches them.
 */
export const PATTERN_CHARS_MAX = 512;
const TYPES = '(?:tenants|namespaces|topics|consumers|users|members|roles|groups|permissions)';
const ID = '[A-Za-z0-9$_][A-Za-z0-9._-]*';
const SEGMENT = String.raw`(?:\*|${ID}\*?)`;
const ROOT = 'system';

/** Eight segments at most. */
export const RESOURCE_PATTERN = new RegExp(
  String.raw`^(?:${ROOT}|\*\*|${TYPES}(?:\/${SEGMENT}\/${TYPES}){0,3}(?:\/${SEGMENT})?(?:\/\*\*)?)$`,
);
/** What names one resource. */
export const RESOURCE_PATH = new RegExp(String.raw`^(?:${ROOT}|${TYPES}(?:\/${ID}\/${TYPES}){0,3}\/${ID})$`);

export interface ResourcePattern {
  readonly text: string;
  /** Empty: the root. */
  readonly segments: readonly string[];
  /** Without a wildcard. */
  readonly literal: boolean;
}

export function parsePattern(text: string): ResourcePattern {
  if (text === ROOT || text === '**') return { text: ROOT, segments: [], literal: true };
  if (text.length > PATTERN_CHARS_MAX || !RESOURCE_PATTERN.test(text)) throw invalid(text);
  const path = text.endsWith('/**') ? text.slice(0, -3) : text;
  const segments = path.split('/');
  // `tenants/acme/topics`, all of a type, is `tenants/acme/topics/*`.
  if (segments.length % 2 === 1) segments.push('*');
  const whole = segments.join('/');
  return { text: whole, segments, literal: !whole.includes('*') };
}

const invalid = (text: string): Error =>
  authzError('grant-invalid', `"${text.slice(0, 100)}" is no resource: tenants/acme/namespaces/shop/topics/orders-*`, {
    errors: [
      { pointer: '/resource', detail: 'must be a path of types and ids, with * for a segment or the end of one' },
    ],
  });

/** The same as `reaches`, of the text of a pattern (empty: the root) and a path as they are. */
export function reachesPath(text: string, path: string): boolean {
  const star = text.indexOf('*');
  if (star < 0)
    return text === '' || (path.startsWith(text) && (path.length === text.length || path[text.length] === '/'));
  if (path.includes('/$')) return false;
  if (star === text.length - 1) return path.startsWith(text.slice(0, star));
  const [segments, resource] = [text.split('/'), path.split('/')];
  return segments.length <= resource.length && segments.every((segment, i) => matchesSegment(segment, resource[i]!));
}

/** Whether a pattern names the resource or something above it. */
export function reaches({ segments, literal }: ResourcePattern, resource: readonly string[]): boolean {
  if (segments.length > resource.length) return false;
  for (let i = 0; i < segments.length; i++) if (!matchesSegment(segments[i]!, resource[i]!)) return false;
  // A wildcard above does not reach into what belongs to the system.
  return literal || !resource.some((segment) => segment.startsWith('$'));
}

/** Whether a pattern names something at the resource, above it or below it. */
export function touches({ segments }: ResourcePattern, resource: readonly string[]): boolean {
  for (let i = 0; i < Math.min(segments.length, resource.length); i++)
    if (!matchesSegment(segments[i]!, resource[i]!)) return false;
  return true;
}

/** Whether all that `narrow` names is named by `wide`. */
export function covers(wide: ResourcePattern, narrow: ResourcePattern): boolean {
  if (wide.segments.length > narrow.segments.length) return false;
  if (!wide.literal && narrow.segments.some((segment) => segment.startsWith('$'))) return false;
  return wide.segments.every((segment, i) => globCovers(segment, narrow.segments[i]!));
}

/** Whether there can be a resource that both name. */
export function overlap(a: ResourcePattern, b: ResourcePattern): boolean {
  for (let i = 0; i < Math.min(a.segments.length, b.segments.length); i++) {
    const [one, other] = [a.segments[i]!, b.segments[i]!];
    const [p, q] = [one.replace(/\*$/, ''), other.replace(/\*$/, '')];
    const [open, otherOpen] = [one.endsWith('*'), other.endsWith('*')];
    if (!open && !otherOpen && p !== q) return false;
    if (open && !otherOpen && !q.startsWith(p)) return false;
    if (!open && otherOpen && !p.startsWith(q)) return false;
    if (open && otherOpen && !p.startsWith(q) && !q.startsWith(p)) return false;
  }
  return true;
}

const matchesSegment = (pattern: string, segment: string): boolean =>
  matchesGlob(pattern, segment) && !(pattern.endsWith('*') && segment.startsWith('$'));
