import {
  type CelFunc,
  type CelInput,
  type CelList,
  type CelMap,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  celMethod,
  celUint,
  isCelMap,
  listType,
  mapType,
} from '@bufbuild/cel';
import { equalValues, isInList } from './equality.js';
import { includes } from './includes.js';
import { matchesPattern } from './patterns.js';
import { timeFunctions } from './time-functions.js';
import { charge } from './work-budget.js';

const { BOOL, BYTES, DOUBLE, DYN, INT, STRING, UINT } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);

/** Longer texts are not numbers; reading one as a bigint takes quadratic time. */
const numeralLengthMax = 64;

/** Names that the compiler puts into a tree; no source can spell them. */
export const internal = { tick: '@tick', append: '@append', has: '@has' } as const;

/** The cost of comparing or copying text of a length: V8 does some 4 characters in a nanosecond, but short ones cost the call. */
const forText = (length: number) => 4 + (length >> 5);

/**
 * Replacements of single overloads, for what the standard functions lack:
 * - each function whose cost grows with the event is charged to the budget, and made linear where it was not;
 * - `in` and `has()` find members whose value is null;
 * - int and double mix in arithmetic. CEL refuses `data.price * 2`, because a JSON number is a double and the literal an int; such a filter
 *   would silently never match. This extends the standard, and takes nothing from it;
 * - `timestamp(int)` counts seconds, as the standard says, not milliseconds.
 */
export const filterFunctions: CelFunc[] = [
  ...comparisons(),
  ...texts(),
  ...lists(),
  ...mixedArithmetic(),
  ...conversions(),
  ...timeFunctions,
  celFunc(internal.tick, [INT], BOOL, (units) => {
    charge(Number(units));
    return true;
  }),
];

function comparisons(): CelFunc[] {
  const order: [string, (l: CelValue, r: CelValue) => boolean][] = [
    ['_<_', (l, r) => (l as string) < (r as string)],
    ['_<=_', (l, r) => (l as string) <= (r as string)],
    ['_>_', (l, r) => (l as string) > (r as string)],
    ['_>=_', (l, r) => (l as string) >= (r as string)],
  ];
  return [
    celFunc('_==_', [DYN, DYN], BOOL, equalValues),
    celFunc('_!=_', [DYN, DYN], BOOL, (l, r) => !equalValues(l, r)),
    ...order.map(([name, holds]) =>
      celFunc(name, [STRING, STRING], BOOL, (l, r) => {
        charge(forText(Math.min(l.length, r.length)));
        return holds(l, r);
      }),
    ),
  ];
}

/** In characters, as CEL counts them: a surrogate pair is one. */
function size(text: string): bigint {
  charge(4 + (text.length >> 2));
  let count = text.length;
  for (let i = 1; i < text.length; i++) if (isLowSurrogate(text, i) && isHighSurrogate(text, i - 1)) count--;
  return BigInt(count);
}

function edge(holds: (text: string, part: string) => boolean) {
  return function (this: string, part: string): boolean {
    charge(forText(part.length));
    return holds(this, part);
  };
}

function texts(): CelFunc[] {
  return [
    celFunc('size', [STRING], INT, size),
    celMethod('size', STRING, [], INT, function () {
      return size(this);
    }),
    celMethod('contains', STRING, [STRING], BOOL, function (part) {
      return includes(this, part);
    }),
    celMethod(
      'startsWith',
      STRING,
      [STRING],
      BOOL,
      edge((text, part) => text.startsWith(part)),
    ),
    celMethod(
      'endsWith',
      STRING,
      [STRING],
      BOOL,
      edge((text, part) => text.endsWith(part)),
    ),
    celMethod('matches', STRING, [STRING], BOOL, function (pattern) {
      return matchesPattern(this, pattern);
    }),
    celFunc('_+_', [STRING, STRING], STRING, (l, r) => {
      charge(4 + ((l.length + r.length) >> 2));
      return l + r;
    }),
    celFunc('_+_', [BYTES, BYTES], BYTES, (l, r) => {
      charge(20 + ((l.length + r.length) >> 3));
      return new Uint8Array(Buffer.concat([l, r]));
    }),
  ];
}

/** The lists that `map` and `filter` build: no other code sees one before it is complete, so it may grow in place. */
const growing = new WeakMap<CelList, CelInput[]>();

function lists(): CelFunc[] {
  return [
    celFunc('@in', [DYN, LIST], BOOL, isInList),
    celFunc('@in', [STRING, MAP], BOOL, hasMember),
    celFunc(internal.has, [DYN, STRING], BOOL, (value, key) => isCelMap(value) && hasMember(key, value)),
    celFunc('_+_', [LIST, LIST], LIST, (l, r) => {
      charge(10 + 8 * (l.size + r.size));
      return celList([...l, ...r]);
    }),
    celFunc(internal.append, [LIST, DYN], LIST, (list, value) => {
      const items = growing.get(list);
      if (items) {
        items.push(value);
        return list;
      }
      const first: CelInput[] = [...list, value];
      const grown = celList(first);
      growing.set(grown, first);
      return grown;
    }),
  ];
}

function hasMember(key: string, map: CelMap): boolean {
  return map.get(key) !== undefined;
}

function mixedArithmetic(): CelFunc[] {
  const operations: [string, (l: number, r: number) => number][] = [
    ['_+_', (l, r) => l + r],
    ['_-_', (l, r) => l - r],
    ['_*_', (l, r) => l * r],
    ['_/_', (l, r) => l / r],
    ['_%_', remainder],
  ];
  return [
    ...operations.flatMap(([name, calculate]) => [
      celFunc(name, [DOUBLE, INT], DOUBLE, (l, r) => calculate(l, Number(r))),
      celFunc(name, [INT, DOUBLE], DOUBLE, (l, r) => calculate(Number(l), r)),
    ]),
    celFunc('_%_', [DOUBLE, DOUBLE], DOUBLE, remainder),
  ];
}

function remainder(l: number, r: number): number {
  if (!Number.isInteger(l) || !Number.isInteger(r) || r === 0)
    throw new Error('% takes whole numbers, the second not 0');
  return l % r;
}

function conversions(): CelFunc[] {
  return [
    celFunc('int', [STRING], INT, (text) => {
      charge(20);
      if (text.length > numeralLengthMax || !/^[-+]?\d+$/.test(text)) throw new Error('not an int');
      return BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : refuse('int overflow');
    }),
    celFunc('uint', [STRING], UINT, (text) => {
      charge(20);
      if (text.length > numeralLengthMax || !/^\d+$/.test(text)) throw new Error('not a uint');
      return BigInt.asUintN(64, BigInt(text)) === BigInt(text) ? celUint(BigInt(text)) : refuse('uint overflow');
    }),
    celFunc('double', [STRING], DOUBLE, (text) => {
      charge(20);
      if (text.length > numeralLengthMax || !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) {
        throw new Error('not a double');
      }
      return Number(text);
    }),
    celFunc('bytes', [STRING], BYTES, (text) => {
      charge(20 + (text.length >> 1));
      return new Uint8Array(Buffer.from(text, 'utf8'));
    }),
    celFunc('string', [BYTES], STRING, (bytes) => {
      charge(20 + (bytes.length >> 1));
      return new TextDecoder('utf8', { fatal: true }).decode(bytes);
    }),
  ];
}

function refuse(why: string): never {
  throw new Error(why);
}

function isHighSurrogate(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800;
}

function isLowSurrogate(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xdc00;
}
