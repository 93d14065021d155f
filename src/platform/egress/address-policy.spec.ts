import { BlockList } from 'node:net';
import { assert, nat, oneof, property, tuple } from 'fast-check';
import { DomainError } from '../../kernel/domain-error.js';
import { AddressPolicy, isLoopback } from './address-policy.js';

const closed = new AddressPolicy({ allowedCidrs: [], allowHttp: false });
const development = new AddressPolicy({ allowedCidrs: ['127.0.0.0/8', '::1/128'], allowHttp: true });

/** First and last address, and the ones just before and after the range (null: refused as well, or there is none). */
const REFUSED: readonly (readonly [
  range: string,
  first: string,
  last: string,
  before: string | null,
  after: string | null,
])[] = [
  ['this network', '0.0.0.0', '0.255.255.255', null, '1.0.0.0'],
  ['private 10/8', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['carrier NAT', '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['loopback', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['Azure host', '168.63.129.16', '168.63.129.16', '168.63.129.15', '168.63.129.17'],
  ['link local, cloud metadata', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['private 172.16/12', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['protocol assignments', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['TEST-NET-1', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['AS112', '192.31.196.0', '192.31.196.255', '192.31.195.255', '192.31.197.0'],
  ['AMT', '192.52.193.0', '192.52.193.255', '192.52.192.255', '192.52.194.0'],
  ['6to4 relay', '192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['private 192.168/16', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['AS112 direct', '192.175.48.0', '192.175.48.255', '192.175.47.255', '192.175.49.0'],
  ['benchmarking', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['TEST-NET-2', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['TEST-NET-3', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['multicast, reserved, broadcast', '224.0.0.0', '255.255.255.255', '223.255.255.255', null],
  ['IPv6 unspecified and loopback', '::', '::1', null, null],
  ['IPv4-compatible', '::1.0.0.0', '::ffff:ffff', null, null],
  ['IPv4-translated', '::ffff:0:0:0', '::ffff:0:ffff:ffff', null, null],
  ['NAT64', '64:ff9b::', '64:ff9b::ffff:ffff', null, null],
  ['NAT64, local', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', null, null],
  ['discard', '100::', '100::ffff:ffff:ffff:ffff', null, null],
  ['below global unicast', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '1fff::', null, '2000::'],
  ['Teredo, ORCHID', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff::', '2001:200::'],
  ['documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db7:ffff::', '2001:db9::'],
  ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:ffff::', '2003::'],
  ['AS112v6', '2620:4f:8000::', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff', '2620:4f:7fff::', '2620:4f:8001::'],
  ['documentation 3fff', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', '3ffe:ffff::', '3fff:1000::'],
  ['above global unicast', '4000::', '5eff::', '3fff:ffff::', null],
  ['segment routing', '5f00::', '5f00:ffff::', null, null],
  ['unique local, AWS metadata', 'fc00::', 'fd00:ec2::254', null, null],
  ['link local', 'fe80::', 'febf:ffff::', null, null],
  ['site local', 'fec0::', 'feff:ffff::', null, null],
  ['IPv6 multicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', null, null],
];

const ipv4 = tuple(nat(255), nat(255), nat(255), nat(255));
const hex = (a: number, b: number): string => ((a << 8) | b).toString(16);

describe('checking an address', () => {
  it.each(REFUSED)('refuses %s from its first to its last address, and no more', (_, first, last, before, after) => {
    expect([first, last].map((ip) => closed.checkAddress(ip))).toEqual(['refused', 'refused']);
    for (const ip of [before, after]) expect(ip === null ? 'allowed' : closed.checkAddress(ip)).toBe('allowed');
  });

  it('allows public addresses', () => {
    const verdicts = ['93.184.216.34', '8.8.8.8', '2606:4700:4700::1111', '2a00:1450::1'].map((ip) =>
      closed.checkAddress(ip),
    );
    expect(verdicts).toEqual(['allowed', 'allowed', 'allowed', 'allowed']);
  });

  it('agrees on every IPv4 address with the list of ranges read by another library', () => {
    const list = new BlockList();
    for (const [, first, last] of REFUSED) if (first.includes('.') && !first.includes(':')) list.addRange(first, last);
    assert(
      property(ipv4, (octets) => {
        const ip = octets.join('.');
        expect(closed.checkAddress(ip)).toBe(list.check(ip) ? 'refused' : 'allowed');
      }),
      { numRuns: 2_000 },
    );
  });

  it('treats an IPv4-mapped address as the IPv4 address, in both spellings and with ranges opened', () => {
    assert(
      property(
        oneof(
          ipv4,
          ipv4.map(([, b, c, d]) => [127, b, c, d] as const),
        ),
        ([a, b, c, d]) => {
          for (const policy of [closed, development]) {
            const verdict = policy.checkAddress(`${a}.${b}.${c}.${d}`);
            expect(policy.checkAddress(`::ffff:${a}.${b}.${c}.${d}`)).toBe(verdict);
            expect(policy.checkAddress(`::ffff:${hex(a, b)}:${hex(c, d)}`)).toBe(verdict);
          }
        },
      ),
    );
  });

  it('refuses anything but an address in canonical spelling', () => {
    const odd = [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '2130706433',
      '0177.0.0.1',
      '8.8.8.8 ',
      '2606:4700::1%eth0',
      '[2606:4700::1]',
    ];
    expect(odd.filter((ip) => closed.checkAddress(ip) === 'allowed')).toEqual([]);
  });

  it('opens exactly what the deployment opens', () => {
    const asked = ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1', '0.0.0.0', '::', '::127.0.0.1'];
    const allowed = asked.filter((ip) => development.checkAddress(ip) === 'allowed');
    expect(allowed).toEqual(['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1']);
  });

  it('does not open what lies behind an opened translation prefix', () => {
    const nat64 = new AddressPolicy({ allowedCidrs: ['64:ff9b::/96', '2002::/16', '2001::/32'], allowHttp: false });
    expect(nat64.checkAddress('64:ff9b::8.8.8.8')).toBe('allowed');
    expect(nat64.checkAddress('64:ff9b::169.254.169.254')).toBe('refused');
    expect(nat64.checkAddress('2002:0808:0808::1')).toBe('allowed');
    expect(nat64.checkAddress('2002:7f00:0001::1')).toBe('refused');
    // Teredo carries the client's address with every bit flipped: 10.0.0.1 is f5ff:fffe.
    expect(nat64.checkAddress('2001:0:808:808::f5ff:fffe')).toBe('refused');
  });

  it('names the range that cannot be parsed', () => {
    expect(() => new AddressPolicy({ allowedCidrs: ['10.0.0.0/8', '10.0.0/33'], allowHttp: false })).toThrow(
      '"10.0.0/33"',
    );
  });
});

const codeOf = (policy: AddressPolicy, url: string): string => {
  try {
    policy.checkUrl(url);
    return 'allowed';
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
};

describe('checking a URL', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.0.0.1./',
    'https://１２７.０.０.１/',
    'https://①②⑦.0.0.1/',
    'https:127.0.0.1',
    'https:\\\\127.0.0.1\\x',
    'https://%31%32%37.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/latest/meta-data',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://0/',
    'https://10.1.2.3:8443/',
  ])('refuses %s as an address in every spelling', (url) => {
    expect(codeOf(closed, url)).toBe('webhook-address-refused');
  });

  it.each([
    ['', 'empty'],
    ['orders', 'relative'],
    ['//shop.example/x', 'without scheme'],
    ['http://shop.example/x', 'plain http'],
    ['ftp://shop.example/x', 'another scheme'],
    ['file:///etc/passwd', 'a file'],
    ['https://user@shop.example/', 'a user'],
    ['https://:secret@shop.example/', 'a password'],
    ['https://shop.example/#part', 'a fragment'],
    ['https://shop.example/#', 'an empty fragment'],
    ['https://shop.example:22/', 'port 22'],
    ['https://shop.example:0/', 'port 0'],
    ['https://shop.example:1023/', 'port 1023'],
    ['https://shop.example:65536/', 'no port'],
    ['https://[fe80::1%25eth0]/', 'a zone'],
    [`https://${'a'.repeat(64)}.example/`, 'a label of 64 characters'],
    [`https://${'ü'.repeat(60)}.example/`, 'a label of more than 63 characters once encoded'],
    [`https://${'abc.'.repeat(63)}ab/`, 'a name of 254 characters'],
    ['https://shop..example/', 'an empty label'],
    ['https://.shop.example/', 'an empty label first'],
    ['https://shop.example../', 'an empty label last'],
    ['https://./', 'the root'],
    [`https://shop.example/${'a'.repeat(2_028)}`, '2,049 characters'],
    [`https://shop.example/${'ä'.repeat(400)}`, 'more than 2,048 characters once encoded'],
  ])('refuses %s (%s)', (url) => {
    expect(codeOf(closed, url)).toBe('webhook-url-invalid');
  });

  it.each([
    'https://shop.example/webhooks?a=1',
    'https://shop.example./',
    `https://${'a'.repeat(63)}.example/`,
    `https://${'abc.'.repeat(63)}a/`,
    'https://shop.example:80/',
    'https://shop.example:443/',
    'https://shop.example:1024/',
    'https://shop.example:8443/',
    'https://93.184.216.34/',
    'https://[2606:4700:4700::1111]:8443/',
    `https://shop.example/${'a'.repeat(2_027)}`,
  ])('accepts %s', (url) => {
    expect(codeOf(closed, url)).toBe('allowed');
  });

  it('allows plain http and opened literals only where the deployment does', () => {
    expect(codeOf(development, 'http://127.0.0.1:9000/hook')).toBe('allowed');
    expect(codeOf(development, 'http://[::1]:9000/hook')).toBe('allowed');
    expect(codeOf(development, 'http://10.0.0.1:9000/hook')).toBe('webhook-address-refused');
  });

  it('points at the field and does not reveal the address', () => {
    const error = (() => {
      try {
        return closed.checkUrl('https://2130706433/', '/target/url');
      } catch (thrown) {
        return thrown as DomainError;
      }
    })() as DomainError;
    expect(error.kind).toBe('invalid');
    expect(error.extensions.errors).toEqual([{ pointer: '/target/url', detail: 'address not allowed' }]);
    expect(JSON.stringify([error.message, error.extensions])).not.toMatch(/127|2130706433/);
  });
});

it('recognizes loopback in every form, and nothing else', () => {
  const asked = [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '10.0.0.1',
    '0.0.0.0',
    '::',
    '::127.0.0.1',
    'localhost',
    '',
  ];
  expect(asked.filter(isLoopback)).toEqual(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']);
});
