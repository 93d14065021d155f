import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Action } from '../../kernel/actions.js';
import type { LimitLeft } from '../../kernel/limit-left.js';
import type { Sql } from '../postgres/database.js';

/** What a key may do at most, whatever its owner may; null: no bound of that kind. */
export interface Ceiling {
  /** Places, each with all that lies below. */
  readonly scopes: readonly { readonly tenant: string; readonly namespace?: string; readonly topic?: string }[] | null;
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
  /** Whether what the caller does with his own is within the bounds of his key, if he came with one. */
  reaches(action: Action, resource: string): boolean;
  /** The same of an action on events, whatever their types. */
  allowsAllTypes(action: Action, resource: string): boolean;
  /** On actions on events: the types that they are limited to; undefined: all. */
  readonly types: { permits(type: string): boolean } | undefined;
  /** Of events that are to be published: the first type that the caller may not, undefined where he may all. Asked once a request: it counts. */
  refusedType(events: readonly { readonly type: string }[]): string | undefined;
  /** What the tenant that the path names may publish and store, as it was known when the caller was let in; null: there is none. */
  readonly publishLimits: PublishLimits | null;
  /** The tenants that the caller belongs to; undefined: he may see any. */
  tenantIds(): Promise<readonly string[] | undefined>;
  /** In the transaction of a change: throws where what the request was let in by has been taken back meanwhile. */
  confirm(sql: Sql): Promise<void>;
  /** Whether the request would be let through now: for answers that go on for long. `access` of the request is then the one of now. */
  stillAllowed(): Promise<boolean>;
}

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string;
    /** What the answer tells of; see rate-limit-headers.ts. */
    limits: readonly LimitLeft[] | null;
    traceparent: string | null;
    /** Only beside a `traceparent`. */
    tracestate: string | null;
    principal: Principal | null;
    access: Access | null;
    /** Ended with the answer; an answer that goes on for long ends it when it begins. */
    turn: { end(): void } | null;
  }
}

export type Request = FastifyRequest;
export type Reply = FastifyReply;
