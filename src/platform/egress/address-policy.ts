import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { defineErrors, type DomainError } from '../../kernel/domain-error.js';

export type Verdict = 'allowed' | 'refused';

export interface AddressPolicyOptions {
  /** Ranges that are opened although they are not public, e.g. `127.0.0.0/8` and `::1/128` for development. */
  readonly allowedCidrs: readonly string[];
  /** Plain http beside https. */
  readonly allowHttp: boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** WHATWG parsing drops line breaks and tabs, so the URL shown would differ from the URL used. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;
export const URL_LENGTH_MAX = 2_048;
/** RFC 1035, 2.3.4. What a resolver would refuse is refused when the URL is saved. */
const LABEL_LENGTH_MAX = 63;
const NAME_LENGTH_MAX = 253;
const PORT_MIN = 1_024;
const WELL_KNOWN_PORTS = new Set(['', '80', '443']);

/** 168.63.129.16 looks public, but inside Azure it is the host's own control endpoint. */
const REFUSED_IPV4 = cidrs(
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
  192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
  198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`.split(/\s+/),
);

/** The only range of IPv6 assigned as global unicast; everything outside it is refused without a list. */
const GLOBAL_IPV6 = cidrs(['2000::/3']);
const REFUSED_IPV6 = cidrs(['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']);

const NAT64 = ipaddr.parseCIDR('64:ff9b::/96');
const SIX_TO_FOUR = ipaddr.parseCIDR('2002::/16');
const TEREDO = ipaddr.parseCIDR('2001::/32');

const fail = defineErrors({
  'webhook-url-invalid': { kind: 'invalid', title: 'Webhook URL not valid' },
  'webhook-address-refused': { kind: 'invalid', title: 'Webhook address not allowed' },
});

/** Never says which address it was: the resolver's result would let callers map the internal network. */
export const ADDRESS_NOT_ALLOWED = 'address not allowed';

export function addressRefused(pointer: string): DomainError {
  const detail = `The webhook's address is not allowed.`;
  return fail('webhook-address-refused', detail, { errors: [{ pointer, detail: ADDRESS_NOT_ALLOWED }] });
}

/**
 * Decides which addresses the product may connect to on behalf of a tenant: global unicast, and what the deployment opens. The same policy
 * applies to registration, test, delivery and replay; a tenant can never open a range.
 */
export class AddressPolicy {
  private readonly opened: readonly Range[];
  private readonly allowHttp: boolean;

  constructor({ allowedCidrs, allowHttp }: AddressPolicyOptions) {
    this.opened = cidrs(allowedCidrs);
    this.allowHttp = allowHttp;
  }

  checkAddress(ip: string): Verdict {
    const address = parse(ip);
    return address && this.allows(address) ? 'allowed' : 'refused';
  }

  /**
   * Returns the URL as it will be used, or throws `webhook-url-invalid` or `webhook-address-refused`. WHATWG parsing comes first, so that
   * `2130706433`, `0x7f.1`, `0177.0.0.1` and full-width digits are checked as the address they mean. Names are not resolved here.
   */
  checkUrl(raw: string, pointer = '/url'): URL {
    const url = raw.length <= URL_LENGTH_MAX && URL.canParse(raw) ? new URL(raw) : undefined;
    const detail = CONTROL.test(raw)
      ? 'must not contain control characters'
      : url
        ? this.flawOf(url)
        : `must be an absolute URL of at most ${URL_LENGTH_MAX} characters`;
    if (detail) throw fail('webhook-url-invalid', `The webhook URL ${detail}.`, { errors: [{ pointer, detail }] });
    const literal = addressLiteral(url!.hostname);
    if (literal !== undefined && this.checkAddress(literal) === 'refused') throw addressRefused(pointer);
    return url!;
  }

  private flawOf({ protocol, href, hostname, port, username, password }: URL): string | undefined {
    if (protocol !== 'https:' && !(protocol === 'http:' && this.allowHttp)) {
      return this.allowHttp ? 'must begin with https: or http:' : 'must begin with https:';
    }
    if (href.length > URL_LENGTH_MAX) return `must have at most ${URL_LENGTH_MAX} characters, once encoded`;
    if (!isHost(hostname)) {
      return `must have a host of at most ${NAME_LENGTH_MAX} characters, each of its labels of 1 to ${LABEL_LENGTH_MAX}`;
    }
    if (username || password) return 'must not carry a user name or password; use a header';
    if (href.includes('#')) return 'must not have a fragment';
    if (!WELL_KNOWN_PORTS.has(port) && Number(port) < PORT_MIN) return `must use port 80, 443 or ${PORT_MIN} and above`;
    return undefined;
  }

  private allows(address: Address): boolean {
    if (isIPv6(address) && address.isIPv4MappedAddress()) return this.allows(address.toIPv4Address());
    const opened = within(address, this.opened);
    const carried = isIPv6(address) ? carriedIPv4(address) : undefined;
    // Opening a translation prefix (a NAT64 network needs 64:ff9b::/96) does not open the addresses behind it.
    if (carried) return opened && this.allows(carried);
    return opened || isGlobalUnicast(address);
  }
}

/** An address, or a name that DNS can hold; one full stop may end it. */
function isHost(hostname: string): boolean {
  if (hostname.startsWith('[')) return true;
  const name = hostname.replace(/\.$/, '');
  return (
    name.length <= NAME_LENGTH_MAX && name.split('.').every(({ length }) => length >= 1 && length <= LABEL_LENGTH_MAX)
  );
}

/** 127.0.0.0/8 or ::1, also as an IPv4-mapped address. */
export function isLoopback(ip: string): boolean {
  const address = parse(ip);
  if (!address) return false;
  return (isIPv6(address) && address.isIPv4MappedAddress() ? address.toIPv4Address() : address).range() === 'loopback';
}

/** The IP address in a URL's host name, if it is one. */
export function addressLiteral(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}

/**
 * isIP comes first, because ipaddr.js also accepts `127.1` and `0x7f.1`, which the operating system may read differently. ipaddr.js also
 * reads `::8.8.8.8` as `::ffff:8.8.8.8`, so IPv6 is passed to it in hexadecimal only.
 */
function parse(ip: string): Address | undefined {
  const version = ip.includes('%') ? 0 : isIP(ip);
  if (version === 0) return undefined;
  return ipaddr.parse(version === 6 ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip);
}

function isGlobalUnicast(address: Address): boolean {
  if (isIPv6(address) && !within(address, GLOBAL_IPV6)) return false;
  return !within(address, isIPv6(address) ? REFUSED_IPV6 : REFUSED_IPV4);
}

/** The IPv4 address that a translator or tunnel would extract from an IPv6 address. */
function carriedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  if (within(address, [NAT64])) return new ipaddr.IPv4(bytes.slice(12));
  if (within(address, [SIX_TO_FOUR])) return new ipaddr.IPv4(bytes.slice(2, 6));
  if (within(address, [TEREDO])) return new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff));
  return undefined;
}

function isIPv6(address: Address): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6';
}

function within(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base as never, bits));
}

function cidrs(texts: readonly string[]): Range[] {
  return texts.map((text) => {
    if (!ipaddr.isValidCIDR(text)) throw new Error(`"${text}" is not a range of addresses such as 127.0.0.0/8`);
    return ipaddr.parseCIDR(text);
  });
}
