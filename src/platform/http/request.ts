import type { FastifyReply, FastifyRequest } from 'fastify';

/** Who is asking. Set by the guard; routes without credentials have none. */
export interface Principal {
  /** `usr_…` or `key_…`. */
  readonly id: string;
  readonly kind: 'user' | 'api-key';
  readonly userId: string;
  readonly sessionId?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string;
    traceparent: string | null;
    principal: Principal | null;
  }
}

export type Request = FastifyRequest;
export type Reply = FastifyReply;
