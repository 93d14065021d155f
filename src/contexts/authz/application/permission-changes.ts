import { Injectable } from '@nestjs/common';
import type { Actor, DomainEvent, Versioned } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { Aggregates, type AggregateRepository } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { Escalation } from './escalation.js';
import type { Named, PrincipalName } from './ports.js';
import { TenantUids } from './tenant-uids.js';

/** Who makes a change, and the version that they have seen. */
export interface Caller {
  readonly by: Actor;
  readonly giver: Principal;
  readonly expectedVersion?: ExpectedVersion | undefined;
}

interface TenantRef {
  readonly tenantId: string;
  readonly tenantUid: string;
}

interface Options<S> {
  /** The only principal that the change affects. */
  readonly about?: PrincipalName | undefined;
  readonly exists?: (state: S) => boolean;
}

/** Changes members, roles, groups and grants like other aggregates, but never by more than the caller holds. */
@Injectable()
export class PermissionChanges {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly escalation: Escalation,
    private readonly tenantUids: TenantUids,
  ) {}

  /** In the current life of the tenant. */
  async change<S, E extends DomainEvent, R extends TenantRef, F>(
    repository: AggregateRepository<S, E, R, F>,
    named: Named<R>,
    { by, giver, expectedVersion }: Caller,
    decide: (state: S, ref: R) => readonly E[],
    { about, ...options }: Options<S> = {},
  ): Promise<Versioned<S>> {
    const ref = { ...named, tenantUid: await this.tenantUids.of(named.tenantId) } as R;
    const bounded = this.escalation.limiting(repository, ref.tenantId, giver, about);
    return this.aggregates.change(bounded, ref, by, (state) => decide(state, ref), { expectedVersion, ...options });
  }
}
