import type { Action } from './actions.js';

/** A tenant, one of its namespaces, or one topic there, with everything below it. */
export interface KeyScope {
  readonly tenant: string;
  readonly namespace?: string;
  readonly topic?: string;
}

/** The most that a key may do, whatever its owner may do; null: no bound of that kind. */
export interface Ceiling {
  readonly scopes: readonly KeyScope[] | null;
  /** Actions, and `event:*` for all of a resource. */
  readonly actions: readonly string[] | null;
}

/** The authenticated caller. Set by the guard; routes without credentials have none. */
export interface Principal {
  /** `usr_…` or `key_…`. */
  readonly id: string;
  readonly kind: 'user' | 'api-key';
  readonly userId: string;
  readonly sessionId?: string;
  /** For keys: the version of the key whose secret was verified. */
  readonly keyVersion?: number;
  /** Only for keys with bounds. */
  readonly ceiling?: Ceiling;
}

/** Permissions that every user has on their own account. */
export const OWN_PERMISSIONS = [
  'profile:read',
  'profile:update',
  'session:read',
  'session:end',
  'password:change',
  'authz:check',
] as const;

/** The permission that a caller needs. Every route declares it or is marked public; a test checks that. */
export type Permission = Action | (typeof OWN_PERMISSIONS)[number];

/** Null: no limit. */
export interface PublishLimits {
  readonly eventsPerSecond: number | null;
  readonly storageBytes: number | null;
}

/** What the guard knows about the caller, for handlers that make finer decisions. */
export interface Access {
  /** Whether the caller may also do this there. `resource` is a path without wildcards. */
  allows(action: Action, resource: string): boolean;
  /** Throws, and records the denial, if the caller may not also do this to the resource of the route. `confirm` checks it again. */
  require(action: Action): void;
  /** Whether the caller may do this in a tenant that is not in the path of the request, and that is open to them. */
  allowsIn(tenantId: string, action: Action, resource: string): Promise<boolean>;
  /** Whether an action of callers on their own account is within the bounds of their key, if they use one. */
  reaches(action: Action, resource: string): boolean;
  /** The same for an action on events of all types. */
  allowsAllTypes(action: Action, resource: string): boolean;
  /** For actions on events: the types that the caller is limited to; undefined: all. */
  readonly types: { permits(type: string): boolean } | undefined;
  /** The first type among events to publish that the caller may not publish; undefined: none. Called once per request, since it counts. */
  refusedType(events: readonly { readonly type: string }[]): string | undefined;
  /** What the tenant in the path may publish and store, as of the admission of the caller; null: there is none. */
  readonly publishLimits: PublishLimits | null;
  /** The tenants that the caller belongs to; undefined: they may see any. */
  tenantIds(): Promise<readonly string[] | undefined>;
  /** In the transaction of a change: throws if the rights that the request was admitted with are gone. */
  confirm(transaction: object): Promise<void>;
  /** Whether the request would still be allowed now, for long responses. Afterwards `access` of the request is the current one. */
  stillAllowed(): Promise<boolean>;
}
