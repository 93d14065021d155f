import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PinoLogger } from 'nestjs-pino';
import type { Actor } from '../../../kernel/aggregate.js';
import { newId } from '../../../kernel/ids.js';
import { Egress, generateSigningSecret } from '../../../platform/egress/index.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { NamespaceCatalog, namespaceNotFound, type NamespaceRef } from '../../tenancy/index.js';
import { registerConsumer, type ConsumerState } from '../domain/consumer.js';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';
import { ConsumerDefaults } from './consumer-defaults.js';
import { ConsumerCatalog, type ShownConsumer } from './ports.js';
import { Subscriptions, type TopicRequest } from './subscriptions.js';

export interface ConsumerInput {
  readonly id?: string;
  readonly name?: string | null;
  readonly url: string;
  readonly topics: readonly TopicRequest[];
  readonly correlationId?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly retry?: Partial<RetryPolicy>;
  readonly timeoutMs?: number;
}

export interface RegisteredConsumer {
  readonly consumer: ShownConsumer;
  /** Shown this once. */
  readonly secret: string;
}

export class RegisterConsumer extends Command<RegisteredConsumer> {
  constructor(
    readonly namespace: NamespaceRef,
    readonly input: ConsumerInput,
    readonly asking: Principal,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(RegisterConsumer)
export class RegisterConsumerHandler implements ICommandHandler<RegisterConsumer> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly namespaces: NamespaceCatalog,
    private readonly consumers: ConsumerCatalog,
    private readonly subscriptions: Subscriptions,
    private readonly egress: Egress,
    private readonly defaults: ConsumerDefaults,
    private readonly log: PinoLogger,
  ) {}

  async execute({ namespace, input, asking, by }: RegisterConsumer): Promise<RegisteredConsumer> {
    if (!(await this.namespaces.find(namespace))) throw namespaceNotFound(namespace);
    const topics = await this.subscriptions.resolve(asking, namespace, input.topics);
    const url = await this.egress.checkUrl(input.url, namespace.tenantId);
    const { headers = {}, retry } = input;
    const defaults = await this.defaults.of(namespace.tenantId);
    const ref = { ...namespace, consumerId: input.id ?? newId('con') };
    const registration = {
      consumerUid: randomUUID(),
      runsOn: asking.userId,
      topics,
      name: input.name ?? null,
      url,
      correlationId: input.correlationId ?? randomUUID(),
      headerNames: Object.keys(headers),
      retry: { ...defaults.retry, ...retry },
      timeoutMs: input.timeoutMs ?? defaults.timeoutMs,
    };
    const secret = generateSigningSecret();
    const repository = this.consumers.storing({ signing: [secret], headers });
    const decide = (state: ConsumerState) => registerConsumer(state, ref, registration);
    const registered = await this.aggregates.change(repository, ref, by, decide);
    const { tenantId: tenant, namespaceId: namespaceName, consumerId } = ref;
    const names = {
      tenant,
      namespace: namespaceName,
      consumer: consumerId,
      consumerCorrelationId: registration.correlationId,
    };
    this.log.info(
      { correlationId: by.correlationId, ...names, topics: topics.map(({ topicId }) => topicId) },
      'consumer registered',
    );
    return { consumer: await this.consumers.shown(ref, registered), secret };
  }
}
