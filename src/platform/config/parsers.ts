import { inspect } from 'node:util';
import ipaddr from 'ipaddr.js';

/** A value that must not be seen: it prints as `[secret]`, wherever it is printed. */
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

/** Null where it is not set. */
export const optional =
  <T>(parser: Parser<T>): Parser<T | undefined> =>
  (value) =>
    value === null || value === undefined ? undefined : parser(value);

export const secret =
  (min: number): Parser<Secret> =>
  (value) =>
    typeof value === 'string' && value.length >= min ? new Secret(value) : fail(`must have at least ${min} characters`);

export const oneOf =
  <const V extends string>(...values: V[]): Parser<V> =>
  (value) =>
    values.find((known) => known === value) ?? fail(`must be one of ${values.join(', ')}`);

/** A YAML list, or words with commas between. */
export const list =
  <T>(item: Parser<T>): Parser<readonly T[]> =>
  (value) => {
    const items =
      typeof value === 'string'
        ? value
            .split(',')
            .map((word) => word.trim())
            .filter(Boolean)
        : value;
    return Array.isArray(items) ? items.map((one) => item(one)) : fail('must be a list');
  };

export const cidr: Parser<string> = (value) =>
  typeof value === 'string' && ipaddr.isValidCIDR(value)
    ? value
    : fail('must be ranges of addresses such as 127.0.0.0/8');

export const email: Parser<string> = (value) =>
  typeof value === 'string' && /^[^\s@]+@[^\s@]+$/.test(value) && value.length <= 320
    ? value
    : fail('must be an e-mail address');

export const url =
  (...protocols: string[]): Parser<string> =>
  (value) => {
    const valid = typeof value === 'string' && URL.canParse(value) && protocols.includes(new URL(value).protocol);
    return valid
      ? (value as string)
      : fail(`must be a URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`);
  };

export const secretUrl =
  (...protocols: string[]): Parser<Secret> =>
  (value) =>
    new Secret(url(...protocols)(value));
