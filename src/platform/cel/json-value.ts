import { type CelInput, celList, celMap, celUint, isCelList, isCelMap, isCelUint } from '@bufbuild/cel';
import { charge, exhaust } from './work-budget.js';

/** Enough digits that a double may not hold the number. Not in quotes, and not after a decimal point. */
const longNumber = /(?:^|[\s:,[-])\d{16}/;
/** Texts with such numbers take ten times as long to parse (1 MiB: 50 ms). */
const longNumberTextMax = 1024 * 1024;

const intMax = 2n ** 63n - 1n;
const intMin = -(2n ** 63n);
const uintMax = 2n ** 64n - 1n;

/**
 * The CEL value of a JSON text. Numbers are doubles, as CEL prescribes; integers beyond 2^53 are ints (or uints) with all their digits,
 * because ids are compared by them. Objects and arrays are wrapped once, where the expression reads them.
 */
export function celFromJson(text: string): CelInput {
  if (text !== lastText || last === undefined) {
    last = parse(text);
    lastText = text;
  }
  return last;
}

/** Several filters evaluate one event in turn: the last text is parsed once for all of them. */
let lastText = '';
let last: CelInput | undefined;

function parse(text: string): CelInput {
  if (!longNumber.test(text)) return wrap(JSON.parse(text));
  if (text.length > longNumberTextMax) exhaust();
  return wrap(JSON.parse(text, exactInteger));
}

function exactInteger(_key: string, value: unknown, context?: { source: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context === undefined) return value;
  if (!/^-?\d+$/.test(context.source)) return value;
  const exact = context.source.length > 20 ? null : BigInt(context.source);
  if (exact === null || exact < intMin || exact > uintMax) return value;
  return exact <= intMax ? exact : celUint(exact);
}

function wrap(value: unknown): CelInput {
  if (typeof value !== 'object' || value === null) return value as CelInput;
  if (Array.isArray(value)) return celList(value.map(wrap));
  if (isCelMap(value as CelInput) || isCelList(value) || isCelUint(value)) return value as CelInput;
  return celMap(new JsonObject(value as Record<string, unknown>) as ReadonlyMap<string, CelInput>);
}

/**
 * An object of an event as CEL reads maps. The library would copy each object it passes into a Map (5 to 10 times the cost of one look-up),
 * and would mistake one with a member named `constructor`. Only own members exist here, so `__proto__` and `toString` are members if the
 * event has them, and missing otherwise.
 */
class JsonObject extends Map<string, unknown> {
  #size: number | undefined;

  constructor(private readonly members: Record<string, unknown>) {
    super();
  }

  override get size(): number {
    return (this.#size ??= Object.keys(this.members).length);
  }

  override has(key: unknown): boolean {
    return typeof key === 'string' && Object.hasOwn(this.members, key);
  }

  override get(key: unknown): CelInput | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.members, key)) return undefined;
    const value = this.members[key];
    if (typeof value !== 'object' || value === null) return value as CelInput;
    return (this.members[key] = wrap(value)) as CelInput;
  }

  override keys(): MapIterator<string> {
    charge(8 * this.size);
    return Object.keys(this.members).values();
  }

  override *entries(): MapIterator<[string, unknown]> {
    for (const key of this.keys()) yield [key, this.get(key)];
  }

  override *values(): MapIterator<unknown> {
    for (const key of this.keys()) yield this.get(key);
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries();
  }

  override forEach(visit: (value: unknown, key: string, map: Map<string, unknown>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}
