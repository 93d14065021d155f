const CHARS_MAX = 255;
/** As it is, or as a string of structured fields (RFC 9651, 3.3.3), with parameters that mean nothing. */
const KEY = new RegExp(
  String.raw`^(?:([\x21\x23-\x7e][\x21-\x7e]{0,${CHARS_MAX - 1}})` +
    String.raw`|"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,${CHARS_MAX}})"(?: *;[\x20\x21\x23-\x7e]*)?)$`,
);

/** What `KEY` takes, in words. */
export const IDEMPOTENCY_KEY_RULE = `1 to ${CHARS_MAX} visible ASCII characters; in quotes, blanks may be among them`;

export const IDEMPOTENCY_KEY_SCHEMA = { type: 'string', pattern: KEY.source } as const;

/** The same key, whether it comes as the draft of the IETF writes it or as everybody does; undefined: it is none. */
export function idempotencyKeyIn(header: unknown): string | undefined {
  const [, bare, quoted] = (typeof header === 'string' && KEY.exec(header)) || [];
  return bare ?? quoted?.replaceAll(/\\(.)/g, '$1');
}
