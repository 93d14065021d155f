import type { Clock } from '../../kernel/clock.js';
import { addressLiteral, AddressPolicy, addressRefused, type AddressPolicyOptions } from './address-policy.js';
import { LookUps } from './look-ups.js';
import { nameResolver, type Resolver } from './name-resolver.js';
import { CheckedResolver } from './checked-resolver.js';
import { ConnectFailure } from './send-outcome.js';
import { WebhookSender } from './webhook-sender.js';

export interface EgressOptions extends AddressPolicyOptions {
  /** Replaces the hosts file and DNS. */
  readonly resolver?: Resolver;
  /** DNS servers; default: those of the operating system. */
  readonly dnsServers?: readonly string[];
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * The single exit to the network: which addresses a tenant may name, and the sender that connects to them. Both use one policy; an address
 * that was allowed when it was saved is checked again at each new connection.
 */
export class Egress {
  readonly policy: AddressPolicy;
  readonly sender: WebhookSender;
  private readonly resolver: CheckedResolver;

  constructor({ resolver, dnsServers, connectTimeoutMs, clock, ...rules }: EgressOptions) {
    this.policy = new AddressPolicy(rules);
    const lookUps = new LookUps(resolver ?? nameResolver({ servers: dnsServers }));
    this.resolver = new CheckedResolver(this.policy, lookUps);
    this.sender = new WebhookSender({ policy: this.policy, resolver: this.resolver, connectTimeoutMs, clock });
  }

  /**
   * Returns the URL as it will be used. Throws `webhook-url-invalid` or `webhook-address-refused`, both with `pointer`. A name that does
   * not resolve now is accepted: receivers are often registered before their DNS record exists. `share` is that of `SendRequest`.
   */
  async checkUrl(raw: string, share: string, pointer = '/url'): Promise<string> {
    const { hostname, href } = this.policy.checkUrl(raw, pointer);
    if (addressLiteral(hostname) !== undefined) return href;
    try {
      await this.resolver.resolve(hostname, { share });
      return href;
    } catch (error) {
      if (error instanceof ConnectFailure && error.phase === 'dns') return href;
      throw error instanceof ConnectFailure ? addressRefused(pointer) : error;
    }
  }

  /** Resolves when the requests in flight have ended. */
  close(): Promise<void> {
    return this.sender.close();
  }
}
