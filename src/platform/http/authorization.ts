const CREDENTIALS = /^([A-Za-z]+) +(\S+)$/;

export interface Credentials {
  /** In lower case: the name of a scheme has none (RFC 9110, 11.1). */
  readonly scheme: string;
  readonly credential: string;
}

/** `scheme 1*SP token68` (RFC 9110, 11.4). Undefined: it is none, or more than one. */
export function parseAuthorization(header: string): Credentials | undefined {
  const match = CREDENTIALS.exec(header);
  return match ? { scheme: match[1]!.toLowerCase(), credential: match[2]! } : undefined;
}
