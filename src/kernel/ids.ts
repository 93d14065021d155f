import { randomFillSync } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base32: sorts like the number, no i l o u
const RANDOM_LENGTH = 26;
const POOL_BYTES = 12 * 512;

/** Ids that a client may choose: tenant, namespace, topic, consumer, role, group, schema type. */
export const ID_CHARACTERS_MAX = 63;
/** No two dots in a row; the length is a rule of its own. */
export const CHOSEN_ID = /^[a-z0-9](?:\.?[a-z0-9_-])*\.?$/;

/** What follows the prefix of an id that the server generates. */
export const GENERATED_ID = /[0-9a-hjkmnp-tv-z]{26}/;

export const SYSTEM_TENANT = '$system';
export const MANAGEMENT_NAMESPACE = '$management';

export const isChosenId = (id: string): boolean => id.length <= ID_CHARACTERS_MAX && CHOSEN_ID.test(id);

const pool = Buffer.alloc(POOL_BYTES);
let poolAt = POOL_BYTES;
let lastMs = -1;
let counter = 0;
let timePart = '';

function encodeTime(ms: number): string {
  let text = '';
  let rest = ms;
  for (let i = 0; i < 10; i++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Sorts before every id that was generated at this time or later. */
export const idFloor = (prefix: string, ms: number): string => `${prefix}_${encodeTime(Math.max(0, ms))}`;

/**
 * A generated id: `<prefix>_` and 26 characters that sort by time, and in one process by order of creation (ULID layout: 48 bits of
 * milliseconds, then a 20-bit counter and 60 random bits instead of ULID's 80 random ones).
 */
export function newId(prefix: string, nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
    timePart = encodeTime(nowMs);
  } else if (++counter === 1 << 20) {
    lastMs += 1;
    counter = 0;
    timePart = encodeTime(lastMs);
  }
  const count = ALPHABET[(counter >> 15) & 31]! + ALPHABET[(counter >> 10) & 31] + ALPHABET[(counter >> 5) & 31];
  return `${prefix}_${timePart}${count}${ALPHABET[counter & 31]}${randomText(12)}`;
}

/**
 * `<prefix>_` and 26 random characters: looks like the others, but does not show when it was created. For users, whose ids are visible to
 * tenants that have not created them: the time in an id would show who had an account before the invitation.
 */
export const newTimelessId = (prefix: string): string => `${prefix}_${randomText(RANDOM_LENGTH)}`;

function randomText(length: number): string {
  if (poolAt + length > POOL_BYTES) {
    randomFillSync(pool);
    poolAt = 0;
  }
  let text = '';
  for (let i = 0; i < length; i++) text += ALPHABET[pool[poolAt++]! & 31];
  return text;
}
