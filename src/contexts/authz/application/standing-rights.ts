import { Injectable } from '@nestjs/common';
import { maskOf, type Action } from '../../../kernel/actions.js';
import type { Principal } from '../../../kernel/access.js';
import { UserAccounts } from '../../identity/index.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { Authorizer } from './authorizer.js';
import type { Subject } from './subject.js';

/** What a principal may do in a tenant at any time, from any address and at any rate: work in the background can rest on nothing less. */
export class Standing {
  constructor(private readonly subject: Subject) {}

  /** Allowed without condition, and not denied under any. Of a key: also within its bounds; grants to the key itself do not count. */
  holds(action: Action, resource: string): boolean {
    const pattern = parsePattern(resource);
    const lacks = this.subject.policy.missing(maskOf([action]), pattern).length > 0;
    return !lacks && this.subject.beyondKey([action], pattern).length === 0;
  }

  /** Whether anything allows it, perhaps under conditions. */
  mayHold(action: Action, resource: string): boolean {
    return this.subject.mayBelow(action, resource);
  }
}

/** For lasting work, such as a consumer: the rights that it runs on are checked when it is made, and again whenever rights change. */
@Injectable()
export class StandingRights {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly users: UserAccounts,
  ) {}

  async ofCaller(tenantId: string, principal: Principal): Promise<Standing> {
    return new Standing(await this.authorizer.subject(tenantId, principal));
  }

  /** Undefined: there is no such user, or they are suspended. */
  async ofUser(tenantId: string, userId: string): Promise<Standing | undefined> {
    if (!(await this.users.isActive(userId))) return undefined;
    return this.ofCaller(tenantId, { id: userId, kind: 'user', userId });
  }
}
