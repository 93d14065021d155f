import type { LookupAddress } from 'node:dns';
import { Resolver as DnsChannel } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { HostsFile } from './hosts-file.js';

/** An address of a name. Without a time to live it is valid for this call only. */
export interface ResolvedAddress extends LookupAddress {
  readonly ttlSeconds?: number;
}

/** Every address of a name. Rejects with an error that has a code, at the latest soon after the signal fires. */
export type Resolver = (hostname: string, signal: AbortSignal) => Promise<readonly ResolvedAddress[]>;

export interface NameResolverOptions {
  /** `address` or `address:port`; default: those of the operating system. */
  readonly servers?: readonly string[];
  readonly hosts?: HostsFile;
  /** Whether IPv6 addresses are reachable; default: whether this machine has a global one. */
  readonly routesIPv6?: () => boolean;
}

const LOOPBACK: readonly ResolvedAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
/** How long to wait before a server is asked again, or the next one; it doubles. The signal ends it. */
const TRY_MS = 1_000;
const TRIES = 4;
/** How long to wait for the other family once one has returned a reachable address: some servers never respond to AAAA. */
const OTHER_FAMILY_MS = 250;
const CANNOT_TELL = new Set(['ENODATA', 'ECANCELLED']);

/**
 * The hosts file, then `localhost` (RFC 6761), then DNS by c-ares, on sockets of its own.
 *
 * Not `dns.lookup`: getaddrinfo runs in two threads shared by the whole process and cannot be cancelled, so two names with a silent server
 * block all others for 10 s. What else it would consult is given up: mDNS, NIS, LDAP; and the search domains, because a URL must mean the
 * same everywhere, tenants have no business with short names of our network, and `ndots:5` of Kubernetes makes ten queries of one.
 */
export function nameResolver({
  servers = [],
  hosts = new HostsFile(),
  routesIPv6 = hasGlobalIPv6,
}: NameResolverOptions = {}): Resolver {
  return async (hostname, signal) => {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    const local = await hosts.addressesOf(name);
    if (local.length > 0) return local;
    if (name === 'localhost' || name.endsWith('.localhost')) return LOOPBACK;
    return askServers(hostname, { servers, prefersIPv6: routesIPv6() }, signal);
  };
}

/** On a channel of its own (20 µs), which can be cancelled alone and uses the servers as they are now. */
async function askServers(
  hostname: string,
  { servers, prefersIPv6 }: { readonly servers: readonly string[]; readonly prefersIPv6: boolean },
  signal: AbortSignal,
): Promise<readonly ResolvedAddress[]> {
  signal.throwIfAborted();
  const channel = new DnsChannel({ timeout: TRY_MS, tries: TRIES });
  if (servers.length > 0) channel.setServers(servers);
  const cancel = (): void => channel.cancel();
  let patience: NodeJS.Timeout | undefined;
  const answered =
    (family: 4 | 6) =>
    (records: readonly { address: string; ttl: number }[]): ResolvedAddress[] => {
      if (family === 4 || prefersIPv6) patience ??= setTimeout(cancel, OTHER_FAMILY_MS);
      return records.map(({ address, ttl }) => ({ address, family, ttlSeconds: ttl }));
    };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [v4, v6] = await Promise.allSettled([
      channel.resolve4(hostname, { ttl: true }).then(answered(4)),
      channel.resolve6(hostname, { ttl: true }).then(answered(6)),
    ]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw moreInformative(v4.reason, v6.reason);
    const [ipv4, ipv6] = [v4, v6].map((family) => (family.status === 'fulfilled' ? family.value : []));
    return prefersIPv6 ? [...ipv6!, ...ipv4!] : [...ipv4!, ...ipv6!];
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', cancel);
  }
}

const moreInformative = (a: NodeJS.ErrnoException, b: NodeJS.ErrnoException): Error =>
  CANNOT_TELL.has(a.code ?? '') ? b : a;

/** IPv6 first where it is reachable, as RFC 6724 says; sockets try the other family after 250 ms, or at once if there is no route. */
function hasGlobalIPv6(): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some(({ family, address }) => family === 'IPv6' && /^[23]/.test(address));
}
