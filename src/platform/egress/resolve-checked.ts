import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { ADDRESS_NOT_ALLOWED, type AddressPolicy } from './address-policy.js';
import { ConnectFailure } from './send-outcome.js';

/** Every address of a name. */
export type Resolver = (hostname: string) => Promise<readonly LookupAddress[]>;

/** As the operating system resolves, /etc/hosts included: a compose file names its receivers there. */
export const systemResolver: Resolver = (hostname) => systemLookup(hostname, { all: true });

const RESOLVE_TIMEOUT_MS = 3_000;

/**
 * Resolves names for outgoing connections and answers only addresses that the policy allows. Its `lookup` is what the socket
 * connects by, so the address that was judged is the one that is used: a DNS answer that changes between a check and the
 * connect (rebinding) finds no gap. Nothing is cached; each new connection asks again.
 */
export class CheckedResolver {
  // getaddrinfo cannot be cancelled and may use two threads of the process: a name that hangs occupies one, however often it
  // is asked for.
  private readonly asking = new Map<string, Promise<readonly LookupAddress[]>>();

  constructor(
    private readonly policy: AddressPolicy,
    private readonly resolver: Resolver = systemResolver,
    private readonly timeoutMs = RESOLVE_TIMEOUT_MS,
  ) {}

  /** Throws `ConnectFailure`: `refused` if any address is not allowed (one good among bad ones is an attack), else `dns`. */
  async resolve(hostname: string): Promise<readonly LookupAddress[]> {
    const addresses = await this.ask(hostname);
    if (addresses.length === 0) throw new ConnectFailure('dns', 'the name has no address');
    if (addresses.some(({ address }) => this.policy.judgeAddress(address) === 'refused')) {
      throw new ConnectFailure('refused', ADDRESS_NOT_ALLOWED);
    }
    return addresses;
  }

  readonly lookup: LookupFunction = (hostname, options, callback) => {
    void this.answer(hostname, options, callback);
  };

  private async answer(...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> {
    let addresses: LookupAddress[];
    try {
      addresses = [...(await this.resolve(hostname))];
    } catch (error) {
      callback(error as Error, '');
      return;
    }
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first!.address, first!.family);
  }

  private async ask(hostname: string): Promise<readonly LookupAddress[]> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ConnectFailure('dns', 'the name took too long to resolve')), this.timeoutMs);
      // A request that was given up in the meantime shall not hold up the end of the process.
      timer.unref();
    });
    try {
      return await Promise.race([this.asked(hostname), expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  private asked(hostname: string): Promise<readonly LookupAddress[]> {
    const pending = this.asking.get(hostname);
    if (pending) return pending;
    const asked = this.resolver(hostname)
      .catch((cause: NodeJS.ErrnoException) => {
        throw new ConnectFailure('dns', `the name does not resolve (${cause.code ?? 'unknown'})`, { cause });
      })
      .finally(() => this.asking.delete(hostname));
    this.asking.set(hostname, asked);
    return asked;
  }
}
