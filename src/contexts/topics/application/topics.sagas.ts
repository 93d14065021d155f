import { Injectable } from '@nestjs/common';
import { Saga, type ICommand } from '@nestjs/cqrs';
import { map, mergeMap, type Observable } from 'rxjs';
import { missed, noticedIn, ofType, type ManagementEvent } from '../../../platform/sagas/index.js';
import { topicAggregate } from '../domain/topic.js';
import { EndStreams } from './end-streams.js';

/** What the end of a topic means for its open streams. */
@Injectable()
export class TopicsSagas {
  @Saga()
  endStreamsOfTopic(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('topics'),
      mergeMap(({ event }) => ofType(topicAggregate, 'topic.deleted', [event])),
      map(({ data }) => new EndStreams(data.topicUid)),
    );
  }

  @Saga()
  endAllStreams(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      map(() => new EndStreams(null)),
    );
  }
}
