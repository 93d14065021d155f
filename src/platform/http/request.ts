import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access, Principal } from '../../kernel/access.js';
import type { LimitLeft } from '../../kernel/limit-left.js';

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string;
    /** The limits reported in the response; see rate-limit-headers.ts. */
    limits: readonly LimitLeft[] | null;
    traceparent: string | null;
    /** Only with a `traceparent`. */
    tracestate: string | null;
    principal: Principal | null;
    access: Access | null;
    /** Ended with the response; a long-running response ends it when it begins. */
    turn: { end(): void } | null;
  }
}

export type Request = FastifyRequest;
export type Reply = FastifyReply;
