import { Module, type BeforeApplicationShutdown, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { NamespaceContents, TenancyModule } from '../tenancy/index.js';
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
import { EventReader } from './application/read-events.js';
import { RemoveEvents } from './application/remove-events.js';
import { TopicDirectory } from './application/topic-directory.js';
import { TOPIC_HANDLERS } from './application/topics.js';

@Module({
  imports: [TenancyModule],
  controllers: [TopicsController, PublishController, EventsController],
  providers: [
    { provide: TopicCatalog, useClass: PostgresTopics },
    TopicDirectory,
    Places,
    EventReader,
    EventQueries,
    EventStreams,
    NamespaceTopics,
    RemoveEvents,
    PublishEventsHandler,
    ...TOPIC_HANDLERS,
  ],
  exports: [TopicCatalog, Places],
})
export class TopicsModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly contents: NamespaceContents,
    private readonly topics: NamespaceTopics,
    private readonly removeEvents: RemoveEvents,
  ) {}

  onModuleInit(): void {
    this.contents.register(this.topics);
  }

  onApplicationBootstrap(): void {
    this.removeEvents.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.removeEvents.close();
  }
}
