import { Injectable } from '@nestjs/common';
import type { Action } from '../../../kernel/actions.js';
import { Clock } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/access.js';
import type { Request } from '../../../platform/http/request.js';
import { RequestAuthentication } from '../../identity/index.js';
import { Authorizer } from '../application/authorizer.js';

const STRANGER: ReadonlySet<string> = new Set(['unauthenticated', 'throttled']);

/**
 * For a public route that shows more to callers with a permission. The guard does not run there: others count as strangers and are not
 * refused.
 */
@Injectable()
export class SystemAccess {
  constructor(
    private readonly authentication: RequestAuthentication,
    private readonly authorizer: Authorizer,
    private readonly clock: Clock,
  ) {}

  /** Whether the caller is authenticated and holds the permission in the whole system. */
  async allows(request: Request, action: Action): Promise<boolean> {
    const principal = await this.principalOf(request);
    if (!principal) return false;
    const subject = await this.authorizer.subject(SYSTEM_TENANT, principal);
    const context = { now: this.clock.now(), address: request.ip };
    const { allowed, rates } = subject.check(action, '', context);
    if (rates) this.authorizer.spend(subject, rates);
    return allowed;
  }

  private async principalOf(request: Request): Promise<Principal | undefined> {
    try {
      return await this.authentication.principalOf(request);
    } catch (error) {
      if (error instanceof DomainError && STRANGER.has(error.kind)) return undefined;
      throw error;
    }
  }
}
