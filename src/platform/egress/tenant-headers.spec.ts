import fc from 'fast-check';
import { forbiddenHeader, headerKey, headersProblem, sendableHeaders } from './tenant-headers.js';

const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

describe('headers that tenants set', () => {
  it.each(
    `Host Content-Length Transfer-Encoding Connection Keep-Alive Upgrade TE Trailer Expect Content-Type webhook-id
    Webhook-Signature ce-type Proxy-Authorization X-Correlation-ID X-Event-ID x-event-any X-Topic X-Delivery-Attempt
    X-Replay-ID traceparent TraceState Content-Encoding Content-Range Content-MD5 Content-Language Content-Location
    Content-Digest Repr-Digest Digest Unencoded-Digest Range If-Range Date Early-Data Alt-Used HTTP2-Settings Forwarded
    X-Forwarded-For X-Forwarded-Client-Cert X-Real-IP Via True-Client-IP X-Original-URL X-HTTP-Method-Override
    Idempotency-Key x_correlation_id webhook_signature Webhook.Id`.split(/\s+/),
  )('may not be %s', (name) => {
    expect(forbiddenHeader(name)).toBe(true);
    expect(headersProblem({ [name]: 'x' })).toContain(name);
  });

  it('may be anything else, credentials included', () => {
    const headers = {
      Authorization: 'Bearer abc',
      'X-Api-Key': 'k',
      'x-eventual': '1',
      certificate: '',
      Cookie: 'a=b',
      'X-Contents': '1',
      'User-Agent': "tab\tand ~!'",
    };
    expect(headersProblem(headers)).toBeNull();
  });

  it.each(['', 'a b', 'a:b', 'ä', 'a\r\nb', 'a\0', 'a'.repeat(257)])('are refused with the name %j', (name) => {
    expect(headersProblem({ [name]: 'x' })).toContain('RFC 9110');
  });

  it.each(['a\r\nHost: b', 'a\nb', 'a\0', 'zoë', '\x7f', 7, true, ['a'], { a: 1 }, undefined])(
    'are refused with the value %j, without repeating it',
    (value) => {
      expect(headersProblem({ 'x-a': value })).toBe('must have visible ASCII characters as the value of x-a');
    },
  );

  it('are at most 32, each value at most 4 KiB', () => {
    expect(headersProblem(many(32))).toBeNull();
    expect(headersProblem(many(33))).toContain('32');
    expect(headersProblem({ 'x-a': 'v'.repeat(4_096) })).toBeNull();
    expect(headersProblem({ 'x-a': 'v'.repeat(4_097) })).toContain('4096');
  });

  it('must be unique, whatever the case', () => {
    expect(headersProblem({ 'x-a': '1', 'X-A': '2' })).toContain('once');
    expect(headersProblem({ 'x-a': '1', x_a: '2' })).toContain('once');
  });

  it('that are reserved are refused in every spelling that a receiver may read as theirs', () => {
    const reserved = fc.constantFrom('x-correlation-id', 'webhook-signature', 'x-forwarded-for', 'content-encoding');
    const spelling = reserved.chain((name) => {
      const letters = [...name].map((letter) =>
        letter === '-' ? fc.constantFrom(...'-_.!~') : fc.constantFrom(letter, letter.toUpperCase()),
      );
      return fc.tuple(...letters).map((chosen) => chosen.join(''));
    });
    fc.assert(
      fc.property(spelling, (name) => {
        expect(headersProblem({ [name]: 'x' })).toBe(`must not set ${name}: it is reserved`);
        expect(sendableHeaders({ [name]: 'x', 'x-a': '1' })).toEqual({ 'x-a': '1' });
      }),
    );
  });

  it('that are sent are the ones that would be accepted, each once, in lower case', () => {
    const names = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
    fc.assert(
      fc.property(fc.dictionary(names, fc.constant('v')), (headers) => {
        const sent = Object.keys(sendableHeaders(headers));
        expect(sent.every((name) => headersProblem({ [name]: 'v' }) === null && name === name.toLowerCase())).toBe(
          true,
        );
        const taken = Object.keys(headers).filter((name) => headersProblem({ [name]: 'v' }) === null);
        expect(new Set(sent.map(headerKey))).toEqual(new Set(taken.map(headerKey)));
      }),
    );
  });

  it.each([null, 'x', 7, ['x-a'], undefined])('are an object, not %j', (headers) => {
    expect(headersProblem(headers)).toContain('object');
  });

  it('may be null only in a patch, where that removes a header, also one that was accepted before it was reserved', () => {
    expect(headersProblem({ 'Content-Encoding': null }, { allowNull: true })).toBeNull();
    expect(headersProblem({ 'x-a': null })).toContain('x-a');
    expect(headersProblem({ 'x-a': null }, { allowNull: true })).toBeNull();
    expect(headersProblem({ host: null })).toContain('host');
  });
});
