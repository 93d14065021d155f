import { isIP } from 'node:net';
import { AddressRanges, isAddressOrRange } from '../../../kernel/address-ranges.js';
import type { FieldError } from '../../../kernel/domain-error.js';
import { matchesGlob } from '../../../kernel/glob.js';
import { parseTime } from '../../../kernel/rfc3339.js';
import { authzError } from './authz-errors.js';

/** When and for what a grant holds. */
export interface Constraints {
  /** Globs: `order.created`, `order.*`. Only for actions on events. */
  readonly eventTypes?: readonly string[];
  /** RFC 3339. */
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly daysOfWeek?: readonly Day[];
  /** `08:00` to `18:00`; past midnight where `from` is later than `to`. */
  readonly hours?: { readonly from: string; readonly to: string };
  /** IANA; UTC without one. */
  readonly timeZone?: string;
  readonly rateLimit?: { readonly limit: number; readonly windowSeconds: number };
  readonly sourceCidrs?: readonly string[];
}

export type Day = (typeof DAYS)[number];

/** What is known of a request besides its resource. */
export interface RequestContext {
  readonly now: number;
  readonly address?: string | undefined;
  /** Undefined where it is not known yet: a batch has many. */
  readonly eventType?: string | undefined;
}

/** Undefined: it depends on the type of the event, which is not known yet. */
export type Verdict = boolean | undefined;

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const LIST_MAX = 100;
/** Types are visible ASCII. */
export const EVENT_TYPES = /^(?:[\x21-\x29\x2b-\x7e]{1,255}\*?|\*)$/;
export const CLOCK_TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;
const MINUTES_A_DAY = 1_440;

/** Constraints compiled to check some 10⁶ requests a second. */
export class CompiledConstraints {
  private readonly from: number;
  private readonly until: number;
  private readonly addresses: AddressRanges | undefined;
  private readonly clock: ((now: number) => LocalTime) | undefined;

  constructor(readonly source: Constraints) {
    this.from = source.validFrom === undefined ? -Infinity : parseTime(source.validFrom);
    this.until = source.validUntil === undefined ? Infinity : parseTime(source.validUntil);
    this.addresses = source.sourceCidrs && AddressRanges.withAddresses(source.sourceCidrs);
    if (source.daysOfWeek || source.hours) this.clock = localClock(source.timeZone ?? 'UTC');
  }

  /** `onDoubt`: the result where the address is not known. A deny holds then, an allow does not. */
  evaluate({ now, address, eventType }: RequestContext, onDoubt: boolean): Verdict {
    if (now < this.from || now >= this.until) return false;
    if (this.addresses) {
      if (address === undefined || isIP(address) === 0) return onDoubt;
      if (!this.addresses.contains(address)) return false;
    }
    if (this.clock && !this.isOpen(this.clock(now))) return false;
    if (!this.source.eventTypes) return true;
    return eventType === undefined ? undefined : matchesGlobs(this.source.eventTypes, eventType);
  }

  private isOpen({ day, minute }: LocalTime): boolean {
    const { daysOfWeek, hours } = this.source;
    const [from, to] = hours ? [minuteOf(hours.from), minuteOf(hours.to)] : [0, MINUTES_A_DAY];
    const overnight = from > to;
    // The hours after midnight belong to the day on which they began.
    const began = overnight && minute < to ? DAYS[(DAYS.indexOf(day) + 6) % 7]! : day;
    if (daysOfWeek && !daysOfWeek.includes(began)) return false;
    return overnight ? minute >= from || minute < to : minute >= from && minute < to;
  }
}

export const matchesGlobs = (globs: readonly string[], type: string): boolean =>
  globs.some((glob) => matchesGlob(glob, type));

/** Throws a `grant-invalid` that names all that is wrong. */
export function checkConstraints(constraints: Constraints, effect: 'allow' | 'deny', actions: readonly string[]): void {
  const errors: FieldError[] = [];
  const wrong = (name: string, detail: string): void => void errors.push({ pointer: `/constraints/${name}`, detail });
  const { eventTypes, validFrom, validUntil, daysOfWeek, hours, timeZone, rateLimit, sourceCidrs } = constraints;
  for (const [name, list] of Object.entries({ eventTypes, daysOfWeek, sourceCidrs }))
    if (list && (list.length === 0 || list.length > LIST_MAX)) wrong(name, `must have 1 to ${LIST_MAX} entries`);
  if (eventTypes?.some((glob) => !EVENT_TYPES.test(glob)))
    wrong('eventTypes', 'must be types, or beginnings that end in *');
  if (eventTypes && actions.some((action) => !action.startsWith('event:')))
    wrong('eventTypes', 'is for actions on events only');
  for (const [name, time] of Object.entries({ validFrom, validUntil }))
    if (time !== undefined && Number.isNaN(parseTime(time))) wrong(name, 'must be a time (RFC 3339)');
  if (validFrom && validUntil && parseTime(validFrom) >= parseTime(validUntil))
    wrong('validUntil', 'must be later than validFrom');
  if (daysOfWeek?.some((day) => !DAYS.includes(day))) wrong('daysOfWeek', `must be of ${DAYS.join(', ')}`);
  if (hours && (!CLOCK_TIME.test(hours.from) || !CLOCK_TIME.test(hours.to) || hours.from === hours.to))
    wrong('hours', 'must be two different times of day, HH:MM');
  if (timeZone !== undefined && !isTimeZone(timeZone)) wrong('timeZone', 'must be an IANA time zone');
  if (rateLimit && effect === 'deny') wrong('rateLimit', 'is for what is allowed');
  if (sourceCidrs?.some((cidr) => !isAddressOrRange(cidr))) wrong('sourceCidrs', 'must be addresses or CIDR ranges');
  if (errors.length === 0) return;
  throw authzError('grant-invalid', errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; '), { errors });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

interface LocalTime {
  readonly day: Day;
  readonly minute: number;
}

const MINUTE_MS = 60_000;
/** Zones can be written in many ways. */
const CLOCKS_MAX = 1_000;
const clocks = new Map<string, (now: number) => LocalTime>();

/** One per zone: its time is computed (some 10 µs) once a minute. */
function localClock(timeZone: string): (now: number) => LocalTime {
  let clock = clocks.get(timeZone);
  if (clock) return clock;
  const timeAt = zoneTime(timeZone);
  let minute = Number.NaN;
  let time: LocalTime;
  clock = (now) => {
    const current = Math.floor(now / MINUTE_MS);
    if (current !== minute) [minute, time] = [current, timeAt(now)];
    return time;
  };
  if (clocks.size >= CLOCKS_MAX) clocks.delete(clocks.keys().next().value!);
  clocks.set(timeZone, clock);
  return clock;
}

function zoneTime(timeZone: string): (now: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (now) => {
    const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
    const day = parts.get('weekday')!.toLowerCase() as Day;
    return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
  };
}

function minuteOf(time: string): number {
  const [, hour, minute] = CLOCK_TIME.exec(time)!;
  return Number(hour) * 60 + Number(minute);
}
