import { AsyncLocalStorage } from 'node:async_hooks';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { ADDRESS_NOT_ALLOWED, type AddressPolicy } from './address-policy.js';
import type { LookUpCaller, LookUps } from './look-ups.js';
import { ConnectFailure } from './send-outcome.js';

/**
 * Resolves names for outgoing connections and returns only addresses that the policy allows. Sockets connect by its `lookup`, so the
 * address that was checked is the one that is used: a DNS record that changes between check and connect (rebinding) finds no gap.
 */
export class CheckedResolver {
  /** Sockets pass a name to their lookup and nothing else. */
  private readonly asking = new AsyncLocalStorage<LookUpCaller>();

  constructor(
    private readonly policy: AddressPolicy,
    private readonly lookUps: LookUps,
  ) {}

  /** Throws `ConnectFailure`: `refused` if any address is not allowed (one good among bad ones is an attack), otherwise `dns`. */
  async resolve(hostname: string, asking: LookUpCaller): Promise<readonly LookupAddress[]> {
    const addresses = await this.lookUps.addressesOf(hostname, asking);
    if (addresses.some(({ address }) => this.policy.checkAddress(address) === 'refused')) {
      throw new ConnectFailure('refused', ADDRESS_NOT_ALLOWED);
    }
    return addresses.map(({ address, family }) => ({ address, family }));
  }

  /** Within `connect`, `lookup` resolves on behalf of this caller. */
  onBehalfOf(asking: LookUpCaller, connect: () => void): void {
    this.asking.run(asking, connect);
  }

  readonly lookup: LookupFunction = (hostname, options, callback) => {
    void this.answer(hostname, options, callback);
  };

  private async answer(...[hostname, options, callback]: Parameters<LookupFunction>): Promise<void> {
    let addresses: LookupAddress[];
    try {
      addresses = [...(await this.resolve(hostname, this.asking.getStore()!))];
    } catch (error) {
      callback(error as Error, '');
      return;
    }
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first!.address, first!.family);
  }
}
