const HEADERS_MAX = 32;
const NAME_LENGTH_MAX = 256;
const VALUE_BYTES_MAX = 4_096;

/** A token of RFC 9110, 5.6.2. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible ASCII, spaces and tabs; no control character can split the head. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Those that frame the message, name the connection, or that the product itself sets and receivers trust. */
const FORBIDDEN = new Set(
  `host content-length content-type transfer-encoding connection keep-alive upgrade te trailer expect
  x-correlation-id x-topic x-delivery-attempt x-replay-id traceparent tracestate`.split(/\s+/),
);
const FORBIDDEN_PREFIXES = ['webhook-', 'ce-', 'proxy-', 'x-event-'];

export function forbiddenHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return FORBIDDEN.has(lower) || FORBIDDEN_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

export interface HeaderRules {
  /** In a merge patch null removes a header. */
  readonly allowNull?: boolean;
}

/** What is wrong with the headers that a tenant wants to be sent with each delivery, or null. Never repeats a value: it may be a secret. */
export function judgeHeaders(headers: unknown, { allowNull = false }: HeaderRules = {}): string | null {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return 'must be an object of strings';
  const entries = Object.entries(headers);
  if (entries.length > HEADERS_MAX) return `must have at most ${HEADERS_MAX} headers`;
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    if (name.length > NAME_LENGTH_MAX || !NAME.test(name))
      return 'must have only names that RFC 9110 allows for headers';
    if (forbiddenHeader(name)) return `must not set ${name}: it is reserved`;
    if (seen.has(name.toLowerCase())) return `must name ${name} once, whatever its case`;
    seen.add(name.toLowerCase());
    if (value === null && allowNull) continue;
    if (typeof value !== 'string' || !VALUE.test(value))
      return `must have visible ASCII characters as the value of ${name}`;
    if (value.length > VALUE_BYTES_MAX)
      return `must have at most ${VALUE_BYTES_MAX} characters as the value of ${name}`;
  }
  return null;
}
