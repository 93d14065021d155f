import { Injectable } from '@nestjs/common';
import { DomainError } from '../../../kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { whenFailed, whenReady } from '../../../kernel/when-ready.js';
import { AuditTrail, auditedBy } from '../../../platform/audit/index.js';
import { Consistency } from '../../../platform/http/consistency.js';
import type { Principal } from '../../../kernel/access.js';
import type { Request } from '../../../platform/http/request.js';
import { actorOf } from '../../../platform/http/resource.js';
import type { KeyRefusal } from '../application/authentication/api-key-directory.js';
import { Authenticator } from '../application/authentication/authenticator.js';

interface Cause {
  readonly reason?: KeyRefusal | 'throttled';
  readonly keyId?: string;
}

const REFUSALS: ReadonlySet<string> = new Set(['unauthenticated', 'throttled']);

/** Authenticates the sender of a request. Invalid credentials are recorded with the reason, which the sender does not learn. */
@Injectable()
export class RequestAuthentication {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly audit: AuditTrail,
    private readonly consistency: Consistency,
  ) {}

  /**
   * Runs once per request, for the first caller that needs it, and is kept with the request. Also rejects if the client presents a change
   * that this instance has not seen: its rights may depend on that.
   */
  principalOf(request: Request): Principal | Promise<Principal> {
    if (request.principal) return request.principal;
    return whenReady(this.authenticate(request), (principal) => (request.principal = principal));
  }

  private authenticate(request: Request): Principal | Promise<Principal> {
    const identify = (): Principal | Promise<Principal> => this.authenticator.authenticate(request.headers, request.ip);
    const principal = whenFailed(identify, (error) => this.refuse(request, error));
    if (!this.consistency.appliesTo(request)) return principal;
    return Promise.resolve(principal).then(async (found) => {
      await this.consistency.waitUntilCaughtUp(request);
      return found;
    });
  }

  private refuse(request: Request, error: unknown): never {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const given = authorization !== undefined || apiKey !== undefined;
    if (given && error instanceof DomainError && REFUSALS.has(error.kind)) {
      const { reason, keyId } = (error.cause ?? {}) as Cause;
      // Not ids that no key has: their sender chooses them.
      const known = keyId !== undefined && reason !== 'unknown' && reason !== 'throttled';
      this.audit.note({
        ...auditedBy(actorOf(request)),
        tenantId: SYSTEM_TENANT,
        action: 'auth.refused',
        outcome: 'denied',
        reason: reason === undefined ? 'not-valid' : `key-${reason}`,
        resource: known ? `api-keys/${keyId}` : 'system',
      });
    }
    throw error;
  }
}
