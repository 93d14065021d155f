import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * es_<env>_<id>_<secret><checksum>: id 12, secret 43 (256 bits), checksum 6 characters of base 62. The id is public and appears in logs; the
 * checksum (CRC-32 of everything before it) lets scanners and this server distinguish a key from noise without a lookup.
 */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Without the anchors, this is also for secret scanners: docs/api-keys.md. */
export const API_KEY_FORMAT = /^es_(live|test)_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
export const API_KEY_ID = /^key_[0-9A-Za-z]{12}$/;
const ID_PREFIX = 'key_';
const ID_LENGTH = 12;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;

export interface ApiKeyParts {
  readonly id: string;
  readonly secret: string;
}

/** Unbiased characters: bytes that would favour some are discarded. */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += BASE62[byte % 62];
  }
  return text;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let encoded = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    encoded = BASE62[rest % 62] + encoded;
    rest = Math.floor(rest / 62);
  }
  return encoded;
}

/** A new secret; without an id also a new id. */
export function newApiKey(
  environment: 'live' | 'test',
  id = `${ID_PREFIX}${randomBase62(ID_LENGTH)}`,
): ApiKeyParts & { readonly key: string } {
  const secret = randomBase62(SECRET_LENGTH);
  const body = `es_${environment}_${id.slice(ID_PREFIX.length)}_${secret}`;
  return { id, secret, key: body + checksum(body) };
}

/** Undefined: this is not a key. */
export function parseApiKey(key: string): ApiKeyParts | undefined {
  const match = API_KEY_FORMAT.exec(key);
  if (!match || checksum(key.slice(0, -CHECKSUM_LENGTH)) !== match[4]) return undefined;
  return { id: ID_PREFIX + match[2], secret: match[3]! };
}
