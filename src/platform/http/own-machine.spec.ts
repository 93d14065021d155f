import { isFromThisMachine } from './own-machine.js';

type Asked = Parameters<typeof isFromThisMachine>[0];

const asked = (headers: Record<string, string>, more: Partial<Asked> = {}): boolean => {
  const all = { host: 'localhost:3000', ...headers };
  return isFromThisMachine({ ip: '127.0.0.1', ips: ['127.0.0.1'], host: all.host, headers: all, ...more });
};

describe('a request from this machine', () => {
  it.each([
    ['localhost'],
    ['LOCALHOST:3000'],
    ['127.0.0.1'],
    ['127.0.0.1:3000'],
    ['[::1]:3000'],
    ['[::1]'],
    ['192.0.2.1:3000'],
  ])('names it as %s', (host) => {
    expect(asked({ host })).toBe(true);
  });

  it.each([
    ['evil.example'],
    ['evil.example:3000'],
    ['localhost.evil.example'],
    ['evil-localhost'],
    ['127.0.0.1.evil.example'],
    ['127.0.0.1:3000:80'],
    ['localhost, evil.example'],
    ['user@localhost'],
    ['2130706433'],
    ['0x7f.1'],
    ['[evil.example]'],
    ['[127.0.0.1]'],
    [''],
  ])('is not recognized with the host "%s": a name can be made to resolve to this machine', (host) => {
    expect(asked({ host })).toBe(false);
  });

  it('is not recognized if the host, or the one that a trusted proxy forwards, is another name', () => {
    expect(asked({}, { host: 'evil.example' })).toBe(false);
    expect(asked({ host: 'evil.example' }, { host: 'localhost' })).toBe(false);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['typed into the address bar', { 'sec-fetch-site': 'none' }, true],
    ['from a page of another site', { 'sec-fetch-site': 'cross-site' }, false],
    ['from a page of the same site', { 'sec-fetch-site': 'same-site' }, false],
    ['from a page of this server', { 'sec-fetch-site': 'same-origin' }, false],
    ['with an origin', { origin: 'http://evil.example' }, false],
    ['with the origin of a sandbox', { origin: 'null' }, false],
    ['through an unconfigured proxy', { 'x-forwarded-for': '127.0.0.1' }, false],
  ])('by a browser: %s', (_, headers, expected) => {
    expect(asked(headers)).toBe(expected);
  });

  it.each([
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['192.0.2.1', false],
    ['::2', false],
  ])('comes from loopback: %s', (ip, expected) => {
    expect(asked({}, { ip })).toBe(expected);
  });
});
