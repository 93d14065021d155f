/**
 * A hundred years. Beyond any clock or timer, and still a number that threads and JSON can carry; the caller decides how much of it to
 * obey.
 */
const WAIT_MS_MAX = 100 * 366 * 86_400_000;

const SECONDS = /^\d+$/;
const TIME = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;
/** The three forms of RFC 9110, 5.6.7: IMF-fixdate, RFC 850, asctime. Date.parse reads asctime as local time, and "-5" as a year. */
const HTTP_DATES = [
  String.raw`^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${TIME} GMT$`,
  String.raw`^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) ${TIME} GMT$`,
  String.raw`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`,
].map((form) => new RegExp(form));
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const CENTURY = 100;
const FUTURE_YEARS_MAX = 50;

/** `Retry-After` in milliseconds from `now`: 0 for a past date, undefined if it is malformed. */
export function parseRetryAfter(header: string | readonly string[] | undefined, now: number): number | undefined {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim();
  if (value === undefined) return undefined;
  const waitMs = SECONDS.test(value) ? Number(value) * 1_000 : parseHttpDate(value, now) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), WAIT_MS_MAX);
}

/** NaN if it is not a date. The name of the weekday is not checked against the date. */
function parseHttpDate(text: string, now: number): number {
  const fields = HTTP_DATES.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!fields) return Number.NaN;
  const [day, hour, minute, second] = [fields.day, fields.hour, fields.minute, fields.second].map(Number);
  const month = MONTHS.indexOf(fields.month!) / 3;
  const year = fields.year!.length === 2 ? fullYear(Number(fields.year), now) : Number(fields.year);
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  // 31 February would become a day of March; an unknown month gives a fraction or a negative number.
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return Number.NaN;
  return date.setUTCHours(hour!, minute, second);
}

/** Two digits that would lie more than 50 years ahead are in the past (RFC 9110, 5.6.7). */
function fullYear(twoDigits: number, now: number): number {
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % CENTURY) + twoDigits;
  return year > present + FUTURE_YEARS_MAX ? year - CENTURY : year;
}
