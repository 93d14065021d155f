export { AddressPolicy, isLoopback, URL_LENGTH_MAX, type AddressPolicyOptions } from './address-policy.js';
export { Egress, type EgressOptions } from './egress.js';
export type { Resolver } from './name-resolver.js';
export { ALL_REASONS, type FailurePhase } from './failure-reasons.js';
export type { SendOutcome } from './send-outcome.js';
export {
  forbiddenHeader,
  headerKey,
  HEADERS_MAX,
  headersContract,
  headersProblem,
  sendableHeaders as sentHeaders,
  type HeaderRules,
} from './tenant-headers.js';
export type { SendRequest, WebhookSender } from './webhook-sender.js';
export { generateSigningSecret, Signer } from './webhook-signature.js';
