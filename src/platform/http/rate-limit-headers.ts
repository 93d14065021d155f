import type { FastifyInstance } from 'fastify';
import type { LimitLeft } from '../../kernel/limit-left.js';
import type { Request } from './request.js';

/** A later report of the same limit replaces the earlier one. */
export function noteLimit(request: Request, limit: LimitLeft): void {
  request.limits = [...(request.limits ?? []).filter(({ policy }) => policy !== limit.policy), limit];
}

/** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) on every response under a limit. */
export function installRateLimitHeaders(fastify: FastifyInstance): void {
  fastify.decorateRequest('limits', null);
  fastify.addHook('onSend', ({ limits }, reply, payload, done) => {
    if (limits !== null) {
      reply.header('ratelimit-policy', limits.map(policyItem).join(', '));
      reply.header('ratelimit', limits.map(leftItem).join(', '));
    }
    done(null, payload);
  });
}

/** Structured fields (RFC 9651): names are ours, and need no escapes. */
function policyItem({ policy, quota, windowSeconds, unit }: LimitLeft): string {
  const window = windowSeconds === undefined ? '' : `;w=${windowSeconds}`;
  return `"${policy}";q=${whole(quota)}${unit === undefined ? '' : `;qu="${unit}"`}${window}`;
}

function leftItem({ policy, remaining, resetSeconds }: LimitLeft): string {
  return `"${policy}";r=${whole(remaining)}${resetSeconds === undefined ? '' : `;t=${wholeSeconds(resetSeconds)}`}`;
}

const INTEGER_MAX = 999_999_999_999_999;
const whole = (number: number): number => Math.min(INTEGER_MAX, Math.max(0, Math.floor(number)));

/** As in `Retry-After`. */
export const wholeSeconds = (seconds: number): number => Math.max(1, Math.ceil(seconds));
