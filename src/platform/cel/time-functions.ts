import {
  type CelFunc,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelError,
  objectType,
} from '@bufbuild/cel';
import type { ReflectMessage } from '@bufbuild/protobuf/reflect';
import { type Timestamp, timestampFromMs, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { boundedMap } from '../limits/bounded-map.js';
import { charge } from './work-budget.js';

const { INT, STRING } = CelScalar;
const TIMESTAMP = objectType(TimestampSchema);

/** Texts of times and durations are shorter. */
const textLengthMax = 64;
const textsKept = 200;
/** A formatter takes 50 µs to make and 2 µs to use; there are some 600 time zones. */
const formatters = boundedMap<Intl.DateTimeFormat>(100);

const DAY_MS = 86_400_000;

/** Each part of a time, from a Date whose UTC fields show the wall clock of the requested zone. */
const parts: Record<string, (wall: Date) => number> = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: (wall) => Math.floor((wall.getTime() - new Date(wall).setUTCMonth(0, 1)) / DAY_MS),
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
};

/**
 * The library's own functions take the parts from the wall clock of this machine's zone, which has no 2:30 on one day of the year, make a
 * formatter for each call, and read an int as milliseconds, where CEL has seconds.
 */
export const timeFunctions: CelFunc[] = [
  ...Object.entries(parts).flatMap(([name, part]) => [
    celMethod(name, TIMESTAMP, [], INT, function () {
      charge(30);
      return BigInt(part(new Date(toMs(this))));
    }),
    celMethod(name, TIMESTAMP, [STRING], INT, function (zone) {
      return BigInt(part(wallClock(toMs(this), zone)));
    }),
  ]),
  celFunc('timestamp', [INT], TIMESTAMP, (seconds) => timestampFromMs(Number(seconds) * 1000)),
  ...fromText(),
];

/**
 * The standard conversions, charged, and not for texts that are too long to be valid. Most texts are literals, the same for each event:
 * their results are kept (4 µs against 0.1).
 */
function fromText(): CelFunc[] {
  return [...celEnv().funcs]
    .filter(({ id }) => id === 'timestamp(string)' || id === 'duration(string)')
    .map((standard) => {
      const known = boundedMap<NonNullable<CelValue>>(textsKept);
      return celFunc(standard.name, [STRING], standard.result, (text) => {
        charge(20);
        const kept = known.peek(text);
        if (kept !== undefined) return kept as never;
        charge(600);
        if (text.length > textLengthMax) throw new Error('too long');
        const value = standard.call(0, undefined, [text]);
        if (value === undefined || value === null || isCelError(value)) throw new Error(`not a ${standard.name}`);
        known.set(text, value);
        return value as never;
      });
    });
}

function toMs({ message }: ReflectMessage): number {
  const { seconds, nanos } = message as Timestamp;
  return Number(seconds) * 1000 + Math.floor(nanos / 1e6);
}

/** The zone is an IANA name, `UTC`, or an offset such as `+02:00`. */
function wallClock(ms: number, zone: string): Date {
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset) {
    charge(50);
    const [, sign, hours, minutes] = offset;
    return new Date(ms + (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000);
  }
  const shown = new Map(
    formatter(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const field = (name: Intl.DateTimeFormatPartTypes) => shown.get(name) as number;
  const date = new Date(0);
  date.setUTCFullYear(field('year'), field('month') - 1, field('day'));
  date.setUTCHours(field('hour'), field('minute'), field('second'), ((ms % 1000) + 1000) % 1000);
  return date;
}

function formatter(zone: string): Intl.DateTimeFormat {
  charge(800);
  const kept = formatters.peek(zone);
  if (kept) return kept;
  charge(15_000);
  if (zone.length > textLengthMax) throw new Error('not a time zone');
  const made = new Intl.DateTimeFormat('en-US', {
    hourCycle: 'h23',
    timeZone: zone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}
