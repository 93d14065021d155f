import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { filter, map, type Observable } from 'rxjs';
import { missed, noticedIn, type ManagementEvent } from '../../../platform/sagas/index.js';
import { JudgeLanes } from './judge-lanes.js';

const OPENS_OR_CLOSES = new Set(['tenant.suspended', 'tenant.activated', 'tenant.deletion-started']);

/** Reactions of deliveries to events of tenants. */
@Injectable()
export class DeliverySagas {
  @Saga()
  judgeLanesOfTenants(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('tenants'),
      filter(({ event }) => OPENS_OR_CLOSES.has(event.type)),
      map(({ event }) => new JudgeLanes(event.stream!)),
    );
  }

  @Saga()
  judgeAllLanes(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      map(() => new JudgeLanes(null)),
    );
  }
}
