import { BlockList, isIP } from 'node:net';

const ADDRESS_AND_BITS = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/;
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const WORD = '[0-9A-Fa-f]{1,4}';
/** `::` stands for at least one word, wherever it is. */
const SHORTENED = [1, 2, 3, 4, 5, 6].map((words) => `(?:${WORD}:){${words}}(?::${WORD}){1,${7 - words}}`);
const IPV4 = String.raw`(?:${OCTET}\.){3}${OCTET}`;
const IPV6 = `(?:${WORD}:){7}${WORD}|(?:${WORD}:){1,7}:|:(?::${WORD}){1,7}|::|${SHORTENED.join('|')}`;
const IPV4_BITS = String.raw`\/(?:3[0-2]|[12]?\d)`;
const IPV6_BITS = String.raw`\/(?:12[0-8]|1[01]\d|[1-9]?\d)`;

/** The form of a range, and of an address or range, in the API contract. IPv6 that ends as IPv4 is accepted, but not documented. */
export const ADDRESS_RANGE = new RegExp(`^(?:${IPV4}${IPV4_BITS}|(?:${IPV6})${IPV6_BITS})$`);
export const ADDRESS_OR_RANGE = new RegExp(`^(?:${IPV4}(?:${IPV4_BITS})?|(?:${IPV6})(?:${IPV6_BITS})?)$`);
export const RANGE_CHARACTERS_MAX = 49;

const MAPPED = /^::ffff:\d/i;

interface Range {
  readonly base: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Undefined: it is neither an address nor a range. */
function parseAddressOrRange(text: string): Range | undefined {
  const [, base = '', bits] = ADDRESS_AND_BITS.exec(text) ?? [];
  const version = isIP(base);
  if (version === 0) return undefined;
  const bitsMax = version === 4 ? 32 : 128;
  const range = { base, bits: Number(bits ?? bitsMax), family: version === 4 ? 'ipv4' : 'ipv6' } as const;
  return range.bits > bitsMax ? undefined : range;
}

/** Undefined: it is not a range such as `10.0.0.0/8` or `2001:db8::/32`. IPv4 is written as IPv4, not mapped into IPv6. */
function parseRange(cidr: string): Range | undefined {
  const range = cidr.includes('/') ? parseAddressOrRange(cidr) : undefined;
  return range?.family === 'ipv6' && isMapped(range) ? undefined : range;
}

/** A range of mapped addresses matches nothing, because a mapped address is treated as the IPv4 address that it is. */
const isMapped = ({ base, bits }: Pick<Range, 'base' | 'bits'>): boolean =>
  bits >= 96 &&
  (MAPPED.test(base) || blockListOf([{ base: '::ffff:0:0', bits: 96, family: 'ipv6' }]).check(base, 'ipv6'));

export const isAddressRange = (cidr: string): boolean => parseRange(cidr) !== undefined;

export const isAddressOrRange = (text: string): boolean => parseAddressOrRange(text) !== undefined;

/** Whether every address of the range `inner` is in the range `outer`. */
export function rangeCovers(outer: string, inner: string): boolean {
  const [wide, narrow] = [parseRange(outer), parseRange(inner)];
  if (!wide || !narrow || wide.family !== narrow.family || wide.bits > narrow.bits) return false;
  return blockListOf([wide]).check(narrow.base, narrow.family);
}

/** Parsed ranges: a lookup takes some 0.1 µs. */
export class AddressRanges {
  private readonly ranges: BlockList;

  constructor(cidrs: readonly string[], parse = parseRange) {
    this.ranges = blockListOf(
      cidrs.map((cidr) => {
        const range = parse(cidr);
        if (!range) throw new Error(`"${cidr}" is no range of addresses`);
        return range;
      }),
    );
  }

  /** Single addresses are ranges of one. */
  static withAddresses(texts: readonly string[]): AddressRanges {
    return new AddressRanges(texts, parseAddressOrRange);
  }

  /** Also for an IPv4 address that is mapped into IPv6. Text that is not an address is in no range. */
  contains(address: string): boolean {
    const zone = address.indexOf('%');
    const bare = zone < 0 ? address : address.slice(0, zone);
    const version = isIP(bare);
    return version !== 0 && this.ranges.check(bare, version === 4 ? 'ipv4' : 'ipv6');
  }
}

function blockListOf(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const { base, bits, family } of ranges) list.addSubnet(base, bits, family);
  return list;
}
