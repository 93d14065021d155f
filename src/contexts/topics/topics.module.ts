import {
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { getToken, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { ClockModule } from '../../platform/clock/clock.module.js';
import { EventLogModule } from '../../platform/event-log/event-log.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { AuthzModule, ResourceVisibility } from '../authz/index.js';
import { NamespaceContents, TenancyModule } from '../tenancy/index.js';
import { EndStreamsHandler } from './adapters/end-streams.handler.js';
import { EventQueries } from './adapters/event-query.js';
import { EventStreams } from './adapters/event-streams.js';
import { EventsController } from './adapters/events.controller.js';
import { PostgresTopics } from './adapters/postgres-topics.js';
import { PublishController } from './adapters/publish.controller.js';
import { TopicsController } from './adapters/topics.controller.js';
import { NamespaceTopics } from './application/namespace-topics.js';
import { Places } from './application/places.js';
import { TopicCatalog } from './application/ports.js';
import { PublishEventsHandler } from './application/publish-events.js';
import { PublishMetrics } from './application/publish-metrics.js';
import { EventReader } from './application/read-events.js';
import { StreamReader } from './application/read-stream.js';
import { ReadTurns } from './application/read-turns.js';
import { RemoveEvents } from './application/remove-events.js';
import { TenantQuota } from './application/tenant-quota.js';
import { TopicDirectory } from './application/topic-directory.js';
import { TopicsSagas } from './application/topics.sagas.js';
import { TOPIC_HANDLERS } from './application/topics.js';
import { topicNotFound } from './domain/topic.js';

const PUBLISHED = 'event_store_events_published_total';
const DUPLICATES = 'event_store_events_duplicate_total';

const METRICS: Provider[] = [
  makeCounterProvider({ name: PUBLISHED, help: 'Events stored.' }),
  makeCounterProvider({ name: DUPLICATES, help: 'Events that were stored before.' }),
  {
    provide: PublishMetrics,
    inject: [getToken(PUBLISHED), getToken(DUPLICATES)],
    useFactory: (events: Counter, duplicates: Counter) => new PublishMetrics(events, duplicates),
  },
];

@Module({
  imports: [PostgresModule, ClockModule, EventLogModule, HttpModule, TenancyModule, AuthzModule],
  controllers: [TopicsController, PublishController, EventsController],
  providers: [
    { provide: TopicCatalog, useClass: PostgresTopics },
    TopicDirectory,
    TenantQuota,
    Places,
    { provide: ReadTurns, useFactory: () => new ReadTurns() },
    EventReader,
    StreamReader,
    EventQueries,
    EventStreams,
    EndStreamsHandler,
    TopicsSagas,
    NamespaceTopics,
    RemoveEvents,
    ...METRICS,
    PublishEventsHandler,
    ...TOPIC_HANDLERS,
  ],
  exports: [TopicCatalog, Places],
})
export class TopicsModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly contents: NamespaceContents,
    private readonly hidden: ResourceVisibility,
    private readonly topics: NamespaceTopics,
    private readonly removeEvents: RemoveEvents,
  ) {}

  onModuleInit(): void {
    this.contents.register(this.topics);
    this.hidden.register('topics', (topicId) => topicNotFound({ topicId }));
  }

  onApplicationBootstrap(): void {
    this.removeEvents.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.removeEvents.close();
  }
}
