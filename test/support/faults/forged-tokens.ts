import { createHmac, type KeyObject } from 'node:crypto';

/** A token with the given header and claims, signed (HS256) with the key, whatever the header says. */
export function signedToken(header: object, claims: object, key: KeyObject): string {
  const input = `${encodedPart(header)}.${encodedPart(claims)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

export const encodedPart = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
