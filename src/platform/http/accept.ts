import { httpError } from './http-errors.js';

interface Range {
  readonly type: string;
  readonly weight: number;
}

/** How well an offered type suits the client: by its weight, then by how exactly it was named, then by order. */
interface Liking {
  readonly weight: number;
  readonly exactness: number;
  readonly place: number;
}

const TOKEN = String.raw`[\w!#$%&'*+.^\`|~-]+`;
/** Its parameters are ignored, except for its weight (RFC 9110, 12.4.2 and 12.5.1). */
const RANGE = new RegExp(`^(${TOKEN}/${TOKEN}|\\*)((?:\\s*;[^;]*)*)$`);
/** `.2` and a bare star are not valid HTTP; Java has sent them for twenty years. */
const WEIGHT = /;\s*q\s*=\s*(0|0?\.\d{1,3}|1(?:\.0{0,3})?)\s*(?:;|$)/i;
const WEIGHED = /;\s*q\s*=/i;
/** Commas in quotes do not separate. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;
/** Clients that accept only problems get the type they are made of. */
const SAME: Readonly<Record<string, string>> = { 'application/problem+json': 'application/json', '*': '*/*' };

/**
 * The offered type that the client prefers (the best is offered first); undefined if it accepts none. The most exact range decides for a
 * type, so a weight of 0 forbids it beside a wildcard. An unreadable header counts as absent.
 */
export function preferredType<const T extends string>(
  header: string | undefined,
  offered: readonly T[],
): T | undefined {
  const ranges = header === undefined ? [] : parse(header);
  if (ranges.length === 0) return offered[0];
  const liked = offered
    .map((type) => ({ type, liking: likingOf(type, ranges) }))
    .filter(({ liking }) => liking.weight > 0)
    .toSorted((a, b) => compare(a.liking, b.liking));
  return liked[0]?.type;
}

/** The same, with 406 if no type is left. */
export function negotiate<const T extends string>(header: string | undefined, offered: readonly T[]): T {
  const best = preferredType(header, offered);
  if (best === undefined) throw httpError('not-acceptable', `The response is available as ${offered.join(' or ')}.`);
  return best;
}

function parse(header: string): Range[] {
  return (header.match(ELEMENT) ?? []).flatMap((element) => {
    const [, type, parameters = ''] = RANGE.exec(element.trim()) ?? [];
    if (type === undefined) return [];
    const weight = WEIGHED.test(parameters) ? WEIGHT.exec(parameters)?.[1] : '1';
    const name = type.toLowerCase();
    return weight === undefined ? [] : [{ type: SAME[name] ?? name, weight: Number(weight) }];
  });
}

function likingOf(type: string, ranges: readonly Range[]): Liking {
  const family = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const [exactness, wanted] of [[2, type] as const, [1, family] as const, [0, '*/*'] as const]) {
    const place = ranges.findIndex((range) => range.type === wanted);
    if (place >= 0) return { weight: ranges[place]!.weight, exactness, place };
  }
  return { weight: 0, exactness: 0, place: 0 };
}

const compare = (a: Liking, b: Liking): number => b.weight - a.weight || b.exactness - a.exactness || a.place - b.place;
