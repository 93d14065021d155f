import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { mergeMap, type Observable } from 'rxjs';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import { causeOf, dueFor, ofType, subscriptionTo, type ManagementEvent } from '../../../platform/sagas/index.js';
import { topicAggregate } from '../../topics/index.js';
import type { ConsumerEvent } from '../domain/consumer.js';
import { reducedRights, type PermissionEvent } from '../domain/reduced-rights.js';
import { RecheckConsumers } from './recheck-consumers.js';
import { DropDeletedTopic } from './drop-deleted-topic.js';

const DELETED_TOPICS = subscriptionTo('topics', 'consumers:on-topic-deleted');
const PERMISSIONS = subscriptionTo('permissions', 'consumers:on-permissions-changed', { inPages: true });
const USERS = subscriptionTo('users', 'consumers:on-user-gone', { inPages: true });
const CONSUMERS = subscriptionTo('consumers', 'consumers:on-consumer-changed', { inPages: true });
export const CONSUMER_SUBSCRIPTIONS = [DELETED_TOPICS, PERMISSIONS, USERS, CONSUMERS];

const GONE = new Set(['user.suspended', 'user.deleted']);
const ONLY_LESS: ReadonlySet<string> = new Set<ConsumerEvent['type']>(['consumer.paused', 'consumer.deleted']);

/** What events of topics, permissions, users and consumers mean for registered consumers. */
@Injectable()
export class ConsumersSagas {
  @Saga()
  leaveDeletedTopics(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(DELETED_TOPICS),
      mergeMap(({ events }) =>
        ofType(topicAggregate, 'topic.deleted', events).map(
          ({ stored, data }) => new DropDeletedTopic(data.tenantId, data.topicUid, causeOf(stored)),
        ),
      ),
    );
  }

  @Saga()
  recheckWhereRightsReduced(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(PERMISSIONS),
      mergeMap(({ events }) =>
        [...reducedRights(events.map(permissionEvent))].map(([place, users]) => {
          const tenantId = place === SYSTEM_TENANT ? null : place;
          const which = users ? { runOn: [...users], tenantId } : { allIn: tenantId };
          return new RecheckConsumers(which, causeOf(events.at(-1)!));
        }),
      ),
    );
  }

  @Saga()
  recheckWhereUsersAreGone(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(USERS),
      mergeMap(({ events }) => {
        const gone = events.filter(({ type }) => GONE.has(type)).map(({ stream }) => stream!);
        return gone.length > 0 ? [new RecheckConsumers({ runOn: gone, tenantId: null }, causeOf(events.at(-1)!))] : [];
      }),
    );
  }

  /**
   * The right may be lost between the check of a change and the change: whichever came first, one of the two sees the other. This includes
   * a mere new name: withheld deliveries continue with the next version, and the pauses of many consumers are stored one by one.
   */
  @Saga()
  recheckChangedConsumers(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(CONSUMERS),
      mergeMap(({ events }) => {
        const changed = events.filter(({ type }) => !ONLY_LESS.has(type));
        return [...Map.groupBy(changed, ({ key }) => key!)].map(([tenantId, own]) => {
          const paths = [...new Set(own.map(({ stream }) => stream!.slice(tenantId.length + 1)))];
          return new RecheckConsumers({ tenantId, paths }, causeOf(own.at(-1)!));
        });
      }),
    );
  }
}

const permissionEvent = ({ type, key, data }: StoredEvent): PermissionEvent => ({
  type,
  tenantId: key!,
  data: JSON.parse(data) as PermissionEvent['data'],
});
