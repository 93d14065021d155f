const CHARS_MAX = 255;
/** A plain value, or a string of structured fields (RFC 9651, 3.3.3), whose parameters are ignored. */
const KEY = new RegExp(
  String.raw`^(?:([\x21\x23-\x7e][\x21-\x7e]{0,${CHARS_MAX - 1}})` +
    String.raw`|"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,${CHARS_MAX}})"(?: *;[\x20\x21\x23-\x7e]*)?)$`,
);

/** What `KEY` accepts, in words. */
export const IDEMPOTENCY_KEY_RULE = `1 to ${CHARS_MAX} visible ASCII characters; in quotes, spaces are allowed`;

export const IDEMPOTENCY_KEY_SCHEMA = { type: 'string', pattern: KEY.source } as const;

/** The same key, whether it is written as in the IETF draft or, as usual, plainly; undefined: not a key. */
export function idempotencyKeyIn(header: unknown): string | undefined {
  const [, bare, quoted] = (typeof header === 'string' && KEY.exec(header)) || [];
  return bare ?? quoted?.replaceAll(/\\(.)/g, '$1');
}
