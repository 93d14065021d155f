import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Action } from '../../kernel/actions.js';

/** Who is asking. Set by the guard; routes without credentials have none. */
export interface Principal {
  /** `usr_…` or `key_…`. */
  readonly id: string;
  readonly kind: 'user' | 'api-key';
  readonly userId: string;
  readonly sessionId?: string;
  /** The most that an API key can do; null: as much as its owner. */
  readonly ceiling?: {
    readonly scopes:
      readonly { readonly tenant: string; readonly namespace?: string; readonly topic?: string }[] | null;
    readonly actions: readonly string[] | null;
  };
}

/** What the guard has found out about the caller, for handlers that decide more finely. */
export interface Access {
  /** Whether the caller may do this there, too. `resource` is a path without wildcards. */
  allows(action: Action, resource: string): boolean;
  /** On actions on events: the types that they are limited to; undefined: all. */
  readonly types: { permits(type: string): boolean } | undefined;
  /** The tenants that the caller belongs to; undefined: he sees all of them. */
  tenantIds(): Promise<readonly string[] | undefined>;
  /** Whether the request would be let through now: for answers that go on for long. */
  stillAllowed(): Promise<boolean>;
}

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string;
    traceparent: string | null;
    principal: Principal | null;
    access: Access | null;
  }
}

export type Request = FastifyRequest;
export type Reply = FastifyReply;
