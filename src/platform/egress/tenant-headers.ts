export const HEADERS_MAX = 32;
const NAME_CHARACTERS_MAX = 256;
const VALUE_CHARACTERS_MAX = 4_096;

/** A token of RFC 9110, 5.6.2. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible ASCII, spaces and tabs; no control character can split the head. */
const VALUE = /^[\t\x20-\x7e]*$/;

/**
 * Headers that frame the message or name the connection; that would misstate the body or the time; that the product itself sets, and
 * receivers trust; that describe the route of a request, which proxies in front of a receiver set; and that would turn the request into
 * another one or, being the same for every delivery, make a receiver accept only the first (`idempotency-key`). Headers that identify the
 * sender (`authorization`, `cookie`, `user-agent`, custom keys) are the tenant's choice.
 */
const FORBIDDEN = new Set(
  `host transfer-encoding connection keep-alive upgrade http2-settings te trailer expect alt-used early-data
  digest repr-digest unencoded-digest range if-range date
  x-correlation-id x-topic x-delivery-attempt x-replay-id traceparent tracestate
  forwarded via x-real-ip x-client-ip x-cluster-client-ip true-client-ip cf-connecting-ip
  x-rewrite-url x-method-override idempotency-key`.split(/\s+/),
);
const FORBIDDEN_PREFIXES = `content- webhook- ce- proxy- x-event- x-forwarded x-original- x-http-method`.split(' ');

/**
 * A header's name as CGI, WSGI and PHP see it: they use one variable for names that differ only in case or in characters other than letters
 * and digits, so `x_correlation_id` would be read as ours.
 */
export const headerKey = (name: string): string => name.toLowerCase().replaceAll(/[^0-9a-z]/g, '-');

export function forbiddenHeader(name: string): boolean {
  const key = headerKey(name);
  return FORBIDDEN.has(key) || FORBIDDEN_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/**
 * Filters headers that were accepted earlier, perhaps by a release with other rules. Names are in lower case, as ours are, so that none is
 * sent twice.
 */
export function sendableHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const allowed = Object.entries(headers).filter(([name]) => !forbiddenHeader(name));
  return Object.fromEntries(allowed.map(([name, value]) => [name.toLowerCase(), value]));
}

export interface HeaderRules {
  /** In a merge patch null removes a header. */
  readonly allowNull?: boolean;
}

/** The JSON schema, without the reserved names. */
export const headersContract = ({ allowNull = false }: HeaderRules = {}) => ({
  type: 'object',
  maxProperties: HEADERS_MAX,
  propertyNames: { pattern: NAME.source, maxLength: NAME_CHARACTERS_MAX },
  additionalProperties: {
    type: 'string',
    pattern: VALUE.source,
    maxLength: VALUE_CHARACTERS_MAX,
    ...(allowNull && { nullable: true }),
  },
});

/** What is wrong with the headers that a tenant wants sent with each delivery, or null. Never repeats a value: it may be a secret. */
export function headersProblem(headers: unknown, { allowNull = false }: HeaderRules = {}): string | null {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return 'must be an object of strings';
  const entries = Object.entries(headers);
  if (entries.length > HEADERS_MAX) return `must have at most ${HEADERS_MAX} headers`;
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    if (name.length > NAME_CHARACTERS_MAX || !NAME.test(name))
      return 'must have only names that RFC 9110 allows for headers';
    if (seen.has(headerKey(name))) return `must name ${name} once, whatever its case and its dashes`;
    seen.add(headerKey(name));
    // Also a header that was accepted before it was reserved.
    if (value === null && allowNull) continue;
    if (forbiddenHeader(name)) return `must not set ${name}: it is reserved`;
    if (typeof value !== 'string' || !VALUE.test(value))
      return `must have visible ASCII characters as the value of ${name}`;
    if (value.length > VALUE_CHARACTERS_MAX)
      return `must have at most ${VALUE_CHARACTERS_MAX} characters as the value of ${name}`;
  }
  return null;
}
