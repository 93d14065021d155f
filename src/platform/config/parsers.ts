import { Resolver } from 'node:dns';
import { inspect } from 'node:util';
import ipaddr from 'ipaddr.js';

/** A value that must not be seen: it prints as `[secret]` everywhere. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Reads a value of YAML or of the environment (always a string there). Throws a message that says what it must be, never what it is. */
export type Parser<T> = (value: unknown) => T;

const fail = (message: string): never => {
  throw new Error(message);
};

export const whole =
  (min: number, max: number): Parser<number> =>
  (value) => {
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    const valid = Number.isInteger(number) && (number as number) >= min && (number as number) <= max;
    return valid ? (number as number) : fail(`must be a whole number from ${min} to ${max}`);
  };

export const flag: Parser<boolean> = (value) => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return fail('must be true or false');
};

export const text =
  (max = 1_024): Parser<string> =>
  (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= max
      ? value
      : fail(`must be a text of 1 to ${max} characters`);

/** Null if it is not set. */
export const optional =
  <T>(parser: Parser<T>): Parser<T | undefined> =>
  (value) =>
    value === null || value === undefined ? undefined : parser(value);

export const secret =
  (min: number): Parser<Secret> =>
  (value) =>
    typeof value === 'string' && value.length >= min ? new Secret(value) : fail(`must have at least ${min} characters`);

/** At least 32 bytes: hexadecimal digits need 64 characters for that; base64 and free text carry more in each. */
export const masterKey: Parser<Secret> = (value) => {
  if (typeof value !== 'string' || value.length < 32) return fail('must have at least 32 characters');
  if (/^[0-9a-f]+$/i.test(value) && value.length < 64)
    return fail('must have at least 64 characters if all are hexadecimal');
  return new Secret(value);
};

export const oneOf =
  <const V extends string>(...values: V[]): Parser<V> =>
  (value) =>
    values.find((known) => known === value) ?? fail(`must be one of ${values.join(', ')}`);

/** A YAML list, or words with commas between; duplicates count once. */
export const list =
  <T>(item: Parser<T>, lengthMin = 0): Parser<readonly T[]> =>
  (value) => {
    const items =
      typeof value === 'string'
        ? value
            .split(',')
            .map((word) => word.trim())
            .filter(Boolean)
        : value;
    if (!Array.isArray(items)) return fail('must be a list');
    if (items.length < lengthMin) return fail(`must name at least ${lengthMin}`);
    return [...new Set(items.map((one) => item(one)))];
  };

export const cidr: Parser<string> = (value) =>
  typeof value === 'string' && ipaddr.isValidCIDR(value)
    ? value
    : fail('must be ranges of addresses such as 127.0.0.0/8');

/** Checked by the resolver that will use it. */
export const dnsServer: Parser<string> = (value) => {
  try {
    new Resolver().setServers([value as string]);
    return value as string;
  } catch {
    return fail('must be addresses such as 10.0.0.2, or 10.0.0.2:5353 and [fd00::2]:5353 with a port');
  }
};

export const email: Parser<string> = (value) =>
  typeof value === 'string' && /^[^\s@]+@[^\s@]+$/.test(value) && value.length <= 320
    ? value
    : fail('must be an e-mail address');

/** Without a slash at its end, so that a path can follow. */
export const baseUrl: Parser<string> = (value) => {
  const url = parsedUrl(value, ['http:', 'https:']);
  if (!url) return fail('must be a URL that begins with http:// or https://');
  if (url.username || url.password || url.search || url.hash)
    return fail('must be a URL without user, query and fragment');
  return url.href.replace(/\/+$/, '');
};

/** The modes of libpq. A misspelt one would be treated as a weaker one. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Usually contains a password. */
export const databaseUrl: Parser<Secret> = (value) => {
  const url = parsedUrl(value, ['postgres:', 'postgresql:']);
  if (!url) return fail('must be a URL that begins with postgres:// or postgresql://');
  if (url.searchParams.getAll('sslmode').some((mode) => !SSL_MODES.includes(mode)))
    return fail(`must have one of ${SSL_MODES.join(', ')} as its sslmode`);
  return new Secret(value as string);
};

/** Usually contains a password. */
export const mailUrl: Parser<Secret> = (value) =>
  parsedUrl(value, ['smtp:', 'smtps:'])?.hostname
    ? new Secret(value as string)
    : fail('must be a URL that begins with smtp:// or smtps:// and names a host');

function parsedUrl(value: unknown, protocols: readonly string[]): URL | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url && protocols.includes(url.protocol) ? url : undefined;
}
