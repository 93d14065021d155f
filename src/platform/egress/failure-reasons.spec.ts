import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { errors } from 'undici';
import { ALL_REASONS, reasonOf } from './failure-reasons.js';
import { toConnectFailure, toFailure } from './send-outcome.js';

const failing = (code: string): Error => Object.assign(new Error('read ECONNRESET 10.0.0.1:443'), { code });

const CODES: readonly string[] = [
  ...Object.keys(constants.errno),
  ...Object.values<unknown>(dns).filter((value) => typeof value === 'string'),
  ...Object.values(errors).map((Failure) => /UND_ERR\w*/.exec(String(Failure))?.[0] ?? 'UND_ERR'),
  'CERT_HAS_EXPIRED',
  'CERT_SOMETHING_NEW',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
  'ERR_SOCKET_CLOSED',
  'HPE_INVALID_CONSTANT',
  'unknown',
];

describe('the reason of a failure', () => {
  it('is one of the known reasons, whatever the code and the phase', () => {
    for (const code of CODES) {
      const said = [
        reasonOf('dns', code),
        toConnectFailure(failing(code), 'http:').message,
        toConnectFailure(failing(code), 'https:').message,
        toFailure(failing(code)).error,
      ];
      for (const words of said) expect(ALL_REASONS).toContain(words);
    }
  });

  it('is plain words: no code of the runtime, no address', () => {
    for (const words of ALL_REASONS)
      expect(words).toMatch(/^(?:[a-z]+|DNS|TLS|HTTP|URL)(?:[ ,:] ?(?:[a-z]+|DNS|TLS|HTTP))*$/);
  });

  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls', 'the certificate is signed by itself'],
    ['CERT_HAS_EXPIRED', 'tls', 'the certificate has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'the certificate is of another name'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', 'the port does not speak TLS'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'tls', 'the endpoint broke off the TLS handshake'],
    ['ERR_SSL_SOMETHING_NEW', 'tls', 'the TLS connection failed'],
    ['ECONNRESET', 'tls', 'connection reset'],
    ['ECONNREFUSED', 'connect', 'connection refused'],
    ['EMFILE', 'connect', 'the server has no socket left'],
  ])('%s, while a connection is opened: %s, %s', (code, phase, words) => {
    expect(toConnectFailure(failing(code), 'https:')).toMatchObject({ phase, message: words });
  });

  it.each([
    ['EPIPE', 'response', 'connection reset'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls', 'the endpoint asks for a client certificate'],
    ['UND_ERR_INVALID_ARG', 'refused', 'the request cannot be sent: a header is not valid'],
    ['SOMETHING_NEW', 'response', 'the connection failed before an answer'],
  ])('%s, on one that is open: %s, %s', (code, phase, words) => {
    expect(toFailure(failing(code))).toEqual({ phase, error: words });
  });

  it('is explained in docs/consumers.md', () => {
    const text = readFileSync('docs/consumers.md', 'utf8');
    expect(ALL_REASONS.filter((words) => !text.includes(`\`${words}\``))).toEqual([]);
  });
});
