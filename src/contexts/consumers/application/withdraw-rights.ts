import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { systemActor } from '../../../kernel/aggregate.js';
import { Aggregates, ManagementWatch } from '../../../platform/event-log/index.js';
import { withdrawRight } from '../domain/consumer.js';
import { ConsumerFollowers } from './consumer-followers.js';
import { ConsumerRights, type RightsCheck } from './consumer-rights.js';
import { ConsumerCatalog, type ConsumerView } from './ports.js';

/** Users whose rights are looked up at once; each takes some four queries where nothing is cached. */
const USERS_AT_ONCE = 8;

/**
 * Pauses consumers whose right is gone, whatever their state. Deliveries of this process stop before the first pause is stored, since each
 * takes some milliseconds; every instance does the same. Harmless when it is repeated, or done twice at once.
 */
@Injectable()
export class WithdrawRights {
  constructor(
    private readonly rights: ConsumerRights,
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
    private readonly followers: ConsumerFollowers,
    private readonly watch: ManagementWatch,
    private readonly log: PinoLogger,
  ) {}

  /** By what is permitted now, not by what is cached: one look-up for each user and tenant, however many consumers run on it. */
  async from(pages: AsyncIterable<readonly ConsumerView[]>, correlationId: string): Promise<void> {
    await this.watch.catchUp();
    const checks = new Map<string, RightsCheck>();
    const unpermitted: ConsumerView[] = [];
    for await (const page of pages) {
      const standing = page.filter(({ pauseReason }) => pauseReason !== 'no-longer-permitted');
      await this.loadChecks(checks, standing);
      const gone = standing.filter((consumer) => !checks.get(runnerOf(consumer))!(consumer));
      this.followers.withhold(gone);
      unpermitted.push(...gone);
    }
    for (const consumer of unpermitted) await this.pause(consumer, correlationId);
  }

  private async loadChecks(checks: Map<string, RightsCheck>, consumers: readonly ConsumerView[]): Promise<void> {
    const unknown = new Map(consumers.map((consumer) => [runnerOf(consumer), consumer]));
    for (const name of checks.keys()) unknown.delete(name);
    const rest = [...unknown];
    for (let from = 0; from < rest.length; from += USERS_AT_ONCE) {
      const some = rest.slice(from, from + USERS_AT_ONCE);
      const found = await Promise.all(some.map(([, { tenantId, runsOn }]) => this.rights.checkFor(tenantId, runsOn)));
      for (const [i, [name]] of some.entries()) checks.set(name, found[i]!);
    }
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

const runnerOf = ({ tenantId, runsOn }: ConsumerView): string => `${tenantId} ${runsOn}`;
