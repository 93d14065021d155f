import { forbiddenHeader, judgeHeaders } from './tenant-headers.js';

const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

describe('headers that tenants set', () => {
  it.each(
    `Host Content-Length Transfer-Encoding Connection Keep-Alive Upgrade TE Trailer Expect Content-Type webhook-id
    Webhook-Signature ce-type Proxy-Authorization X-Correlation-ID X-Event-ID x-event-any X-Topic X-Delivery-Attempt
    X-Replay-ID traceparent TraceState`.split(/\s+/),
  )('may not be %s', (name) => {
    expect(forbiddenHeader(name)).toBe(true);
    expect(judgeHeaders({ [name]: 'x' })).toContain(name);
  });

  it('may be anything else, credentials included', () => {
    const headers = {
      Authorization: 'Bearer abc',
      'X-Api-Key': 'k',
      'x-eventual': '1',
      certificate: '',
      'User-Agent': "tab\tand ~!'",
    };
    expect(judgeHeaders(headers)).toBeNull();
  });

  it.each(['', 'a b', 'a:b', 'ä', 'a\r\nb', 'a\0', 'a'.repeat(257)])('are refused with the name %j', (name) => {
    expect(judgeHeaders({ [name]: 'x' })).toContain('RFC 9110');
  });

  it.each(['a\r\nHost: b', 'a\nb', 'a\0', 'zoë', '\x7f', 7, true, ['a'], { a: 1 }, undefined])(
    'are refused with the value %j, without repeating it',
    (value) => {
      expect(judgeHeaders({ 'x-a': value })).toBe('must have visible ASCII characters as the value of x-a');
    },
  );

  it('are at most 32, each value at most 4 KiB', () => {
    expect(judgeHeaders(many(32))).toBeNull();
    expect(judgeHeaders(many(33))).toContain('32');
    expect(judgeHeaders({ 'x-a': 'v'.repeat(4_096) })).toBeNull();
    expect(judgeHeaders({ 'x-a': 'v'.repeat(4_097) })).toContain('4096');
  });

  it('are named once, whatever the case', () => {
    expect(judgeHeaders({ 'x-a': '1', 'X-A': '2' })).toContain('once');
  });

  it.each([null, 'x', 7, ['x-a'], undefined])('are an object, not %j', (headers) => {
    expect(judgeHeaders(headers)).toContain('object');
  });

  it('may be null only in a patch, where that removes one', () => {
    expect(judgeHeaders({ 'x-a': null })).toContain('x-a');
    expect(judgeHeaders({ 'x-a': null }, { allowNull: true })).toBeNull();
    expect(judgeHeaders({ host: null }, { allowNull: true })).toContain('host');
  });
});
