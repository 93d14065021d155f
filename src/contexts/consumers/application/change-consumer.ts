import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { Egress, headerKey } from '../../../platform/egress/index.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { consumerNotFound, reconfigureConsumer, type ConsumerRef } from '../domain/consumer.js';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';
import { ConsumerDefaults } from './consumer-defaults.js';
import { ConsumerCatalog, type ConsumerSecrets, type ConsumerView } from './ports.js';
import { Subscriptions, type TopicRequest } from './subscriptions.js';

const ATTEMPTS_MAX = 5;

/** A merge patch (RFC 7396): what is missing stays, null goes back to the default. */
export interface ConsumerPatch {
  readonly name?: string | null;
  readonly url?: string;
  readonly topics?: readonly TopicRequest[];
  readonly correlationId?: string | null;
  readonly headers?: Readonly<Record<string, string | null>> | null;
  readonly retry?: Partial<RetryPolicy> | null;
  readonly timeoutMs?: number;
}

export class ChangeConsumer extends Command<ConsumerView> {
  constructor(
    readonly consumer: ConsumerRef,
    readonly patch: ConsumerPatch,
    readonly by: Actor,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

@CommandHandler(ChangeConsumer)
export class ChangeConsumerHandler implements ICommandHandler<ChangeConsumer> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
    private readonly subscriptions: Subscriptions,
    private readonly egress: Egress,
    private readonly defaults: ConsumerDefaults,
  ) {}

  /** A patch is merged into what it was read with: where that has changed meanwhile, it is merged anew. */
  async execute(command: ChangeConsumer): Promise<ConsumerView> {
    const { consumer, patch } = command;
    if (patch.url !== undefined) await this.egress.checkUrl(patch.url, consumer.tenantId);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.merge(command);
      } catch (error) {
        const raced = error instanceof DomainError && error.code === 'version-mismatch';
        if (!raced || command.expectedVersion !== undefined || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  private async merge({ consumer: ref, patch, by, expectedVersion }: ChangeConsumer): Promise<ConsumerView> {
    const current = await this.consumers.find(ref);
    if (!current) throw consumerNotFound(ref);
    const topics = patch.topics && (await this.subscriptions.resolve(ref, patch.topics, current.topics));
    const secrets =
      patch.headers === undefined ? undefined : mergeHeaders(await this.consumers.secretsOf(current), patch.headers);
    const change = {
      name: patch.name,
      url: patch.url,
      timeoutMs: patch.timeoutMs,
      correlationId: patch.correlationId === null ? randomUUID() : patch.correlationId,
      retry:
        patch.retry === null
          ? (await this.defaults.of(ref.tenantId)).retry
          : patch.retry && { ...current.settings.retry, ...patch.retry },
      headerNames: secrets && Object.keys(secrets.headers),
      headersChanged: secrets !== undefined,
      topics,
    };
    const repository = secrets ? this.consumers.storing(secrets) : this.consumers;
    await this.aggregates.change(repository, ref, by, (state) => reconfigureConsumer(state, ref, change), {
      expectedVersion: expectedVersion ?? current.version,
    });
    return (await this.consumers.find(ref))!;
  }
}

function mergeHeaders(
  secrets: ConsumerSecrets,
  patch: Readonly<Record<string, string | null>> | null,
): ConsumerSecrets {
  const before = patch === null ? [] : Object.entries(secrets.headers);
  const changed = new Set(Object.keys(patch ?? {}).map(headerKey));
  const kept = before.filter(([name]) => !changed.has(headerKey(name)));
  const set = Object.entries(patch ?? {}).filter((entry): entry is [string, string] => entry[1] !== null);
  return { ...secrets, headers: Object.fromEntries([...kept, ...set]) };
}
