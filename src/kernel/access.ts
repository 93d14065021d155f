import type { Action } from './actions.js';

/** A tenant, one of its namespaces, or one topic there, with all that lies below. */
export interface KeyScope {
  readonly tenant: string;
  readonly namespace?: string;
  readonly topic?: string;
}

/** What a key may do at most, whatever its owner may; null: no bound of that kind. */
export interface Ceiling {
  readonly scopes: readonly KeyScope[] | null;
  /** Actions, and `event:*` for all of a resource. */
  readonly actions: readonly string[] | null;
}

/** Who is asking. Set by the guard; routes without credentials have none. */
export interface Principal {
  /** `usr_…` or `key_…`. */
  readonly id: string;
  readonly kind: 'user' | 'api-key';
  readonly userId: string;
  readonly sessionId?: string;
  /** Of a key: as which version of it the secret was verified. */
  readonly keyVersion?: number;
  /** Only of keys that have one. */
  readonly ceiling?: Ceiling;
}

/** What everybody holds for themselves, whatever else they may do. */
export const OWN_PERMISSIONS = [
  'profile:read',
  'profile:update',
  'session:read',
  'session:end',
  'password:change',
  'authz:check',
] as const;

/** What a caller must be allowed to do. Every route declares it or says that it is public; a test sees to it. */
export type Permission = Action | (typeof OWN_PERMISSIONS)[number];

/** Null: no limit. */
export interface PublishLimits {
  readonly eventsPerSecond: number | null;
  readonly storageBytes: number | null;
}

/** What the guard has found out about the caller, for handlers that decide more finely. */
export interface Access {
  /** Whether the caller may do this there, too. `resource` is a path without wildcards. */
  allows(action: Action, resource: string): boolean;
  /** Throws, and puts on record, where the caller may not do this, too, to what the route is about. `confirm` asks for it again. */
  require(action: Action): void;
  /** Whether the caller may do this in a tenant that the path of the request does not name, and that is open to it. */
  allowsIn(tenantId: string, action: Action, resource: string): Promise<boolean>;
  /** Whether what callers do with their own is within the bounds of their key, if they came with one. */
  reaches(action: Action, resource: string): boolean;
  /** The same of an action on events, whatever their types. */
  allowsAllTypes(action: Action, resource: string): boolean;
  /** On actions on events: the types that they are limited to; undefined: all. */
  readonly types: { permits(type: string): boolean } | undefined;
  /** Of events that are to be published: the first type that the caller may not, undefined where they may all. Asked once a request: it counts. */
  refusedType(events: readonly { readonly type: string }[]): string | undefined;
  /** What the tenant in the path may publish and store, as it was known when the caller was let in; null: there is none. */
  readonly publishLimits: PublishLimits | null;
  /** The tenants that the caller belongs to; undefined: they may see any. */
  tenantIds(): Promise<readonly string[] | undefined>;
  /** In the transaction of a change: throws where what the request was let in by has been taken back meanwhile. */
  confirm(transaction: object): Promise<void>;
  /** Whether the request would be let through now: for answers that go on for long. `access` of the request is then the one of now. */
  stillAllowed(): Promise<boolean>;
}
