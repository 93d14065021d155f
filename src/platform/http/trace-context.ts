/* W3C Trace Context. Invalid values are dropped, never refused: they are not the purpose of the request. */

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const LIST_MEMBER = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MEMBERS_MAX = 32;
/** The length that every party must pass on. */
const TRACESTATE_CHARS_MAX = 512;
/** Longer members are dropped first. */
const MEMBER_CHARS_MAX = 128;

/** Versions 00 to fe. */
export const isTraceparent = (value: unknown): value is string => typeof value === 'string' && TRACEPARENT.test(value);

/**
 * The members of one header, or of several joined by commas; null if there are none, or they are not valid. If too long, whole members are
 * dropped.
 */
export function tracestateOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const members = value.split(',').flatMap((member) => member.replace(/^[ \t]+|[ \t]+$/g, '') || []);
  if (members.length === 0 || members.length > MEMBERS_MAX) return null;
  return members.every((member) => LIST_MEMBER.test(member)) ? shortened(members) : null;
}

function shortened(members: readonly string[]): string | null {
  const kept = [...members];
  while (kept.join().length > TRACESTATE_CHARS_MAX) {
    const long = kept.findLastIndex((member) => member.length > MEMBER_CHARS_MAX);
    kept.splice(long, 1); // -1 is the last
  }
  return kept.join() || null;
}
