import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { filter, map, type Observable } from 'rxjs';
import { missed, noticedIn, type ManagementEvent } from '../../../platform/sagas/index.js';
import { ReviewLanes } from './review-lanes.js';

const OPENS_OR_CLOSES = new Set(['tenant.suspended', 'tenant.activated', 'tenant.deletion-started']);

/** Reactions of deliveries to events of tenants. */
@Injectable()
export class DeliverySagas {
  @Saga()
  reviewLanesOfTenants(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('tenants'),
      filter(({ event }) => OPENS_OR_CLOSES.has(event.type)),
      map(({ event }) => new ReviewLanes(event.stream!)),
    );
  }

  @Saga()
  reviewAllLanes(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      map(() => new ReviewLanes(null)),
    );
  }
}
