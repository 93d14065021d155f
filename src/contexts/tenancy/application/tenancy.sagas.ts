import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { map, mergeMap, type Observable } from 'rxjs';
import {
  causeOf,
  dueFor,
  missed,
  noticedIn,
  ofType,
  subscriptionTo,
  type ManagementEvent,
} from '../../../platform/sagas/index.js';
import { namespaceAggregate } from '../domain/namespace.js';
import { firstOwners, tenantAggregate } from '../domain/tenant.js';
import { CompleteTenant } from './complete-tenant.js';
import { RemoveNamespaceContents } from './namespace-removal.js';
import { AnnounceTenantEnd } from './tenant-end-waiter.js';
import { ForgetTenantGate } from './tenant-gates.js';

const CREATIONS = subscriptionTo('tenants', 'tenancy:on-tenant-created');
const DELETED_NAMESPACES = subscriptionTo('namespaces', 'tenancy:on-namespace-deleted');
export const TENANCY_SUBSCRIPTIONS = [DELETED_NAMESPACES, CREATIONS];

/** What follows from events of tenants and namespaces. */
@Injectable()
export class TenancySagas {
  @Saga()
  forgetTenantGates(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('tenants'),
      map(({ event }) => new ForgetTenantGate(event.stream!)),
    );
  }

  @Saga()
  forgetAllTenantGates(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      map(() => new ForgetTenantGate(null)),
    );
  }

  @Saga()
  announceTenantEnds(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('tenants'),
      mergeMap(({ event: { type, stream, position } }) =>
        type === 'tenant.deleted' ? [new AnnounceTenantEnd(stream!, position)] : [],
      ),
    );
  }

  @Saga()
  completeTenants(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(CREATIONS),
      mergeMap(({ events, signal }) =>
        ofType(tenantAggregate, 'tenant.created', events).map(({ stored, data }) => {
          const tenant = { tenantId: stored.stream!, tenantUid: data.tenantUid };
          return new CompleteTenant(tenant, firstOwners(data), stored.recordedAt, causeOf(stored), signal);
        }),
      ),
    );
  }

  @Saga()
  removeContentsOfNamespaces(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(DELETED_NAMESPACES),
      mergeMap(({ events }) =>
        ofType(namespaceAggregate, 'namespace.deleted', events).map(
          ({ stored, data }) => new RemoveNamespaceContents(data, causeOf(stored)),
        ),
      ),
    );
  }
}
