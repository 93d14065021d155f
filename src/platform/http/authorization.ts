const CREDENTIALS = /^([A-Za-z]+) +(\S+)$/;

export interface Credentials {
  /** In lower case: names of schemes are case-insensitive (RFC 9110, 11.1). */
  readonly scheme: string;
  readonly credential: string;
}

/** `scheme 1*SP token68` (RFC 9110, 11.4). Undefined: not of this form, or more than one. */
export function parseAuthorization(header: string): Credentials | undefined {
  const match = CREDENTIALS.exec(header);
  return match ? { scheme: match[1]!.toLowerCase(), credential: match[2]! } : undefined;
}
