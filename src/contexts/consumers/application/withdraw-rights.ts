import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { systemActor } from '../../../kernel/aggregate.js';
import { Aggregates, ManagementWatch } from '../../../platform/event-log/index.js';
import { withdrawRight } from '../domain/consumer.js';
import { ConsumerRights } from './consumer-rights.js';
import { ConsumerCatalog, type ConsumerView } from './ports.js';

/** Users whose rights are looked up at once; each takes some four queries where nothing of it is in memory. */
const USERS_AT_ONCE = 8;

/** Pauses consumers whose right is gone, wherever they stand. To do it again, or twice at once, does no harm. */
@Injectable()
export class WithdrawRights {
  constructor(
    private readonly rights: ConsumerRights,
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
    private readonly watch: ManagementWatch,
    private readonly log: PinoLogger,
  ) {}

  /** By what is permitted now, not by what is remembered: rights are asked for once a user and tenant, whatever runs on them. */
  async from(pages: AsyncIterable<readonly ConsumerView[]>, correlationId: string): Promise<void> {
    await this.watch.catchUp();
    for await (const page of pages) {
      const judged = page.filter(({ pauseReason }) => pauseReason !== 'no-longer-permitted');
      const byRunner = [...Map.groupBy(judged, ({ tenantId, runsOn }) => `${tenantId} ${runsOn}`).values()];
      for (let from = 0; from < byRunner.length; from += USERS_AT_ONCE) {
        const unpermitted = await Promise.all(byRunner.slice(from, from + USERS_AT_ONCE).map((own) => this.among(own)));
        for (const consumer of unpermitted.flat()) await this.pause(consumer, correlationId);
      }
    }
  }

  /** Those of one runner that may not go on. */
  private async among(consumers: readonly ConsumerView[]): Promise<readonly ConsumerView[]> {
    const { tenantId, runsOn } = consumers[0]!;
    const permitted = await this.rights.judgeOf(tenantId, runsOn);
    return consumers.filter(
      (consumer) =>
        !permitted(
          consumer,
          consumer.topics.map(({ topicId }) => topicId),
        ),
    );
  }

  private async pause(consumer: ConsumerView, correlationId: string): Promise<void> {
    const { tenantId, namespaceId, consumerId, runsOn } = consumer;
    const ref = { tenantId, namespaceId, consumerId };
    let pauses = false;
    await this.aggregates.change(this.consumers, ref, systemActor(correlationId), (state) => {
      const events = withdrawRight(state, ref, consumer);
      pauses = events.length > 0;
      return events;
    });
    const names = { tenant: tenantId, namespace: namespaceId, consumer: consumerId, runsOn };
    if (pauses) this.log.info({ correlationId, ...names, reason: 'no-longer-permitted' }, 'consumer paused');
  }
}
