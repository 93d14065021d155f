import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access, Principal } from '../../kernel/access.js';
import type { LimitLeft } from '../../kernel/limit-left.js';

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
