import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { filter, map, type Observable } from 'rxjs';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import { missed, noticedIn, type ManagementEvent } from '../../../platform/sagas/index.js';
import { InvalidatePolicies, type InvalidatedPolicies } from './invalidate-policies.js';

/** Invalidates cached policies after changes of memberships, roles, groups and grants, and after the deletion of what these name. */
@Injectable()
export class AuthzSagas {
  @Saga()
  invalidatePolicies(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('permissions'),
      map(({ event }) => new InvalidatePolicies(invalidatedBy(event))),
    );
  }

  @Saga()
  invalidatePoliciesOfDeletedUsers(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('users'),
      filter(({ event }) => event.type === 'user.deleted'),
      map(({ event }) => new InvalidatePolicies({ principalId: event.stream! })),
    );
  }

  /** Grants name tenants, namespaces, topics and consumers. */
  @Saga()
  invalidatePoliciesOfDeletedResources(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('tenants', 'namespaces', 'topics', 'consumers'),
      filter(({ event }) => event.type.endsWith('.deleted')),
      map(({ event }) => new InvalidatePolicies({ endedIn: event.key! })),
    );
  }

  @Saga()
  invalidateAllPolicies(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      map(() => new InvalidatePolicies('all')),
    );
  }
}

interface EventData {
  readonly userId?: string;
  readonly principal?: { readonly kind: string; readonly id: string };
  readonly part?: string;
  readonly id?: string;
}

/** An event about one user invalidates the policies of that user; all others those of the tenant, as when a member leaves with their keys. */
function invalidatedBy({ type, key, data }: StoredEvent): InvalidatedPolicies {
  const { userId, principal, part, id } = JSON.parse(data) as EventData;
  const one = userId ?? (part === 'user' ? id : undefined) ?? ofPrincipal(principal);
  if (one === undefined || type === 'group.deleted' || type === 'member.removed') return { tenantId: key! };
  return { principalId: one };
}

const ofPrincipal = (principal: EventData['principal']): string | undefined =>
  principal?.kind === 'user' || principal?.kind === 'apiKey' ? principal.id : undefined;
