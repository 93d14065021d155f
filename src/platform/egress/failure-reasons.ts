export type FailurePhase = 'refused' | 'dns' | 'connect' | 'tls' | 'timeout' | 'response';

/**
 * The closed list of reasons for a delivery that failed without a response (only the timeout's milliseconds are added): words for the codes
 * of Node, c-ares, OpenSSL, undici and llhttp. Codes change with the runtime and mean nothing to the reader of a status; socket messages
 * contain the address, which would map the internal network. docs/consumers.md explains each.
 */
const REASONS = {
  refused: {
    'address not allowed': [],
    'URL not valid': [],
    'the request cannot be sent: a header is not valid': ['UND_ERR_INVALID_ARG'],
    'the request could not be made': [],
  },
  dns: {
    'the name does not exist': ['ENOTFOUND', 'ENONAME'],
    'the name has no address': ['ENODATA'],
    'the name took too long to resolve': ['ETIMEOUT', 'ECANCELLED'],
    'the DNS server failed': ['ESERVFAIL'],
    'the DNS server refused': ['EREFUSED'],
    'the DNS server cannot be reached': ['ECONNREFUSED'],
    'the DNS server gave no valid answer': ['EBADRESP', 'EFORMERR', 'ENOTIMP', 'EOF'],
    'too many other names are being looked up': [],
    'the name does not resolve': [],
  },
  connect: {
    'connection refused': ['ECONNREFUSED'],
    'connection reset': ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ENOTCONN'],
    'connection timed out': ['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT'],
    'host unreachable': ['EHOSTUNREACH', 'EHOSTDOWN'],
    'network unreachable': ['ENETUNREACH', 'ENETDOWN', 'EAFNOSUPPORT'],
    'connection forbidden by a firewall': ['EACCES', 'EPERM'],
    'the server has no socket left': ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'],
    'the connection could not be opened': [],
  },
  tls: {
    'the certificate is signed by itself': ['DEPTH_ZERO_SELF_SIGNED_CERT'],
    'the certificate is of an authority that is not trusted': [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
    ],
    'the certificate is of an authority that is not known, or certificates between are missing': [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ],
    'the certificate has expired': ['CERT_HAS_EXPIRED'],
    'the certificate is not valid yet': ['CERT_NOT_YET_VALID'],
    'the certificate is revoked': ['CERT_REVOKED'],
    'the certificate is of another name': ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
    'the certificate is not valid': [
      'ERR_TLS_CERT_ALTNAME_FORMAT',
      'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
      'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
      'CERT_SIGNATURE_FAILURE',
      'ERROR_IN_CERT_NOT_BEFORE_FIELD',
      'ERROR_IN_CERT_NOT_AFTER_FIELD',
      'INVALID_CA',
      'CERT_CHAIN_TOO_LONG',
      'PATH_LENGTH_EXCEEDED',
      'INVALID_PURPOSE',
    ],
    'the keys of the certificate are too weak': [
      'ERR_SSL_EE_KEY_TOO_SMALL',
      'ERR_SSL_CA_KEY_TOO_SMALL',
      'ERR_SSL_CA_MD_TOO_WEAK',
      'ERR_SSL_DH_KEY_TOO_SMALL',
    ],
    'the port does not speak TLS': ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
    'no version of TLS in common': [
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
      'ERR_SSL_VERSION_TOO_LOW',
      'ERR_SSL_NO_PROTOCOLS_AVAILABLE',
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      'ERR_SSL_TLS_ALERT_PROTOCOL_VERSION',
    ],
    'the endpoint asks for a client certificate': ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
    'the endpoint broke off the TLS handshake': [],
    'the TLS connection failed': ['EPROTO'],
  },
  response: {
    'connection closed before an answer': ['UND_ERR_SOCKET'],
    'the answer is not valid HTTP': [],
    'the head of the answer is too large': ['UND_ERR_HEADERS_OVERFLOW', 'HPE_HEADER_OVERFLOW'],
    'the answer switches to another protocol': [],
    'the interim answers do not end': [],
    'the connection failed before an answer': [],
  },
} as const satisfies Partial<Record<FailurePhase, Readonly<Record<string, readonly string[]>>>>;

type Reasons = typeof REASONS;
type ReasonPhase = keyof Reasons;
export type Reason = { [P in ReasonPhase]: keyof Reasons[P] }[ReasonPhase];

export const ALL_REASONS = Object.values(REASONS).flatMap((reasons) => Object.keys(reasons)) as readonly Reason[];

const byCode = (phase: ReasonPhase): ReadonlyMap<string, Reason> =>
  new Map(
    Object.entries<readonly string[]>(REASONS[phase]).flatMap(([words, codes]) =>
      codes.map((code) => [code, words as Reason] as const),
    ),
  );

const WORDS: Record<ReasonPhase, ReadonlyMap<string, Reason>> = {
  refused: byCode('refused'),
  dns: byCode('dns'),
  connect: byCode('connect'),
  tls: byCode('tls'),
  response: byCode('response'),
};

/** For code families with many members. */
const PATTERNS: readonly (readonly [RegExp, Reason])[] = [
  [/^HPE_/, 'the answer is not valid HTTP'],
  [/^ERR_SSL_.*(ALERT|UNRECOGNIZED_NAME)/, 'the endpoint broke off the TLS handshake'],
  [/^ERR_(SSL|TLS|OSSL)_/, 'the TLS connection failed'],
];

const OTHERWISE: Record<ReasonPhase, Reason> = {
  refused: 'the request cannot be sent: a header is not valid',
  dns: 'the name does not resolve',
  connect: 'the connection could not be opened',
  tls: 'the TLS connection failed',
  response: 'the connection failed before an answer',
};

/**
 * Searched in this order, the phase and then the earlier ones: a socket may report late that it never opened, or that the other side
 * refused the handshake.
 */
const LOOKED_UP: Record<ReasonPhase, readonly ReasonPhase[]> = {
  refused: ['refused'],
  dns: ['dns'],
  connect: ['connect'],
  tls: ['tls', 'connect'],
  response: ['response', 'connect', 'tls', 'refused'],
};

export const isCodeOf = (phase: ReasonPhase, code: string | undefined): boolean => WORDS[phase].has(code ?? '');

export function reasonOf(phase: ReasonPhase, code: string | undefined): Reason {
  if (code === undefined) return OTHERWISE[phase];
  for (const each of LOOKED_UP[phase]) {
    const words = WORDS[each].get(code);
    if (words !== undefined) return words;
  }
  const pattern = phase === 'dns' ? undefined : PATTERNS.find(([codes]) => codes.test(code));
  return pattern?.[1] ?? OTHERWISE[phase];
}
