import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { AddressRanges, isAddressOrRange, isAddressRange, rangeCovers } from './address-ranges.js';

const byte = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 0xffff });
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
const ipv6 = fc
  .tuple(word, word, word, word, word, word, word, word)
  .map((words) => words.map((w) => w.toString(16)).join(':'));
/** Addresses that are in the range more often than by chance. */
const near = (base: string, flips: readonly number[]): string => {
  const bytes = ipaddr.parse(base).toByteArray();
  for (const flip of flips) bytes[Math.floor(flip / 8) % bytes.length]! ^= 1 << (7 - (flip % 8));
  return ipaddr.fromByteArray(bytes).toString();
};
const rangeOf = (address: fc.Arbitrary<string>, bitsMax: number) =>
  fc.record({
    base: address,
    bits: fc.integer({ min: 0, max: bitsMax }),
    flips: fc.array(fc.integer({ min: 0, max: bitsMax - 1 }), { maxLength: 3 }),
  });

describe('address ranges', () => {
  it.each([
    ['IPv4', rangeOf(ipv4, 32)],
    ['IPv6', rangeOf(ipv6, 128)],
  ])('of %s hold what ipaddr.js says', (_, ranges) => {
    fc.assert(
      fc.property(ranges, ({ base, bits, flips }) => {
        const cidr = `${base}/${bits}`;
        fc.pre(isAddressRange(cidr));
        const address = near(base, flips);
        const expected = ipaddr.parse(address).match(ipaddr.parseCIDR(cidr) as never);
        expect(new AddressRanges([cidr]).contains(address)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('treat a mapped address as the IPv4 address that it is', () => {
    const ranges = new AddressRanges(['10.0.0.0/8', '2001:db8::/32']);
    expect(
      ['10.1.2.3', '::ffff:10.1.2.3', '::ffff:a01:203', '2001:db8::1', '2001:db8::1%eth0'].map((a) =>
        ranges.contains(a),
      ),
    ).toEqual(Array.from({ length: 5 }, () => true));
    expect(
      ['11.1.2.3', '::ffff:11.1.2.3', '::10.1.2.3', '2001:db9::1', '::1', '', 'x', '10.1.2'].map((a) =>
        ranges.contains(a),
      ),
    ).toEqual(Array.from({ length: 8 }, () => false));
  });

  it('of no bits contain every address of their family', () => {
    expect(new AddressRanges(['0.0.0.0/0']).contains('203.0.113.9')).toBe(true);
    expect(new AddressRanges(['::/0']).contains('2001:db8::1')).toBe(true);
    expect(new AddressRanges(['0.0.0.0/0']).contains('2001:db8::1')).toBe(false);
  });

  it.each([
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0/8',
    '2001:db8::/129',
    '::ffff:10.0.0.0/104',
    '::ffff:a00:0/104',
    '0:0:0:0:0:ffff:a00:0/104',
    'fe80::1%eth0/64',
    '10.0.0.0/-1',
    ' 10.0.0.0/8',
    '10.0.0.0/8 ',
    '010.0.0.0/8',
    'x/8',
  ])('%j is not a range', (cidr) => {
    expect(isAddressRange(cidr)).toBe(false);
    expect(() => new AddressRanges([cidr])).toThrow('is no range of addresses');
  });

  it('may be single addresses, if the caller allows those', () => {
    const ranges = AddressRanges.withAddresses(['10.0.0.1', '2001:db8::1', '192.0.2.0/24']);
    const held = ['10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2', '192.0.2.9'].map((a) => ranges.contains(a));
    expect(held).toEqual([true, false, true, false, true]);
    for (const text of ['', '10.0.0', '10.0.0.0/33', '10.0.0.1/', '10.0.0.1/8/8', 'fe80::1%eth0', ' 10.0.0.1'])
      expect([text, isAddressOrRange(text)]).toEqual([text, false]);
  });

  it('cover another one exactly if they contain its first and its last address', () => {
    fc.assert(
      fc.property(rangeOf(ipv4, 32), rangeOf(ipv4, 32), fc.boolean(), (one, other, related) => {
        const outer = `${one.base}/${one.bits}`;
        const inner = `${related ? near(one.base, one.flips) : other.base}/${other.bits}`;
        const ranges = new AddressRanges([outer]);
        const [first, last] = [ipaddr.IPv4.networkAddressFromCIDR(inner), ipaddr.IPv4.broadcastAddressFromCIDR(inner)];
        expect(rangeCovers(outer, inner)).toBe(ranges.contains(first.toString()) && ranges.contains(last.toString()));
      }),
      { numRuns: 500 },
    );
    expect(rangeCovers('2001:db8::/32', '2001:db8:1::/48')).toBe(true);
    expect(rangeCovers('2001:db8:1::/48', '2001:db8::/32')).toBe(false);
    expect(rangeCovers('::/0', '10.0.0.0/8')).toBe(false);
  });
});
