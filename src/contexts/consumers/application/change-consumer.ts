import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { Egress, headerKey, HEADERS_MAX } from '../../../platform/egress/index.js';
import { Aggregates, requireVersion } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import type { NamespaceRef } from '../../tenancy/index.js';
import {
  consumerNotFound,
  reconfigureConsumer,
  type ConsumerRef,
  type ConsumerState,
  type Subscription,
} from '../domain/consumer.js';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';
import { invalidConsumer } from '../domain/consumer-errors.js';
import { ConsumerDefaults } from './consumer-defaults.js';
import { ConsumerRights } from './consumer-rights.js';
import { ConsumerCatalog, type ConsumerSecrets, type ShownConsumer } from './ports.js';
import { Subscriptions, type TopicRequest } from './subscriptions.js';
import { retryIfChanged } from './retry-if-changed.js';

/** A merge patch (RFC 7396): what is missing stays, null goes back to the default. */
export interface ConsumerPatch {
  readonly name?: string | null;
  readonly url?: string;
  readonly topics?: readonly TopicRequest[];
  readonly correlationId?: string | null;
  readonly headers?: Readonly<Record<string, string | null>> | null;
  readonly retry?: Partial<RetryPolicy> | null;
  readonly timeoutMs?: number;
  readonly runsOn?: { readonly user: string };
}

/** Where events go, which ones, and what is sent with them: callers that change it must be allowed to read them. */
const DIRECTING = ['url', 'topics', 'headers', 'correlationId', 'runsOn'] as const satisfies (keyof ConsumerPatch)[];

export class ChangeConsumer extends Command<ShownConsumer> {
  constructor(
    readonly consumer: ConsumerRef,
    readonly patch: ConsumerPatch,
    readonly asking: Principal,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
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
    private readonly rights: ConsumerRights,
  ) {}

  /** A patch is merged into the version that was read: where that has changed meanwhile, it is merged again. */
  execute(command: ChangeConsumer): Promise<ShownConsumer> {
    return retryIfChanged(command.expectedVersion, () => this.merge(command));
  }

  private async merge({ consumer: ref, patch, asking, by, expectedVersion }: ChangeConsumer): Promise<ShownConsumer> {
    const current = await this.consumers.find(ref);
    if (!current) throw consumerNotFound(ref);
    const topics = patch.topics && (await this.subscriptions.resolve(asking, ref, patch.topics, current.topics));
    await this.requireRight(topics ?? current.topics, ref, patch, asking);
    const url = patch.url === undefined ? undefined : await this.egress.checkUrl(patch.url, ref.tenantId);
    const secrets =
      patch.headers === undefined ? undefined : mergeHeaders(await this.consumers.secretsOf(current), patch.headers);
    const change = {
      name: patch.name,
      url,
      timeoutMs: patch.timeoutMs,
      correlationId: patch.correlationId === null ? randomUUID() : patch.correlationId,
      retry:
        patch.retry === null
          ? (await this.defaults.of(ref.tenantId)).retry
          : patch.retry && { ...current.settings.retry, ...patch.retry },
      headerNames: secrets && Object.keys(secrets.headers),
      headersChanged: secrets !== undefined,
      topics,
      runsOn: patch.runsOn?.user,
    };
    const repository = secrets ? this.consumers.storing(secrets) : this.consumers;
    const decide = (state: ConsumerState) => reconfigureConsumer(state, ref, change, asking.userId);
    requireVersion(current.version, expectedVersion);
    const changed = await this.aggregates.change(repository, ref, by, decide, { expectedVersion: current.version });
    return this.consumers.shown(ref, changed);
  }

  private async requireRight(
    topics: readonly Subscription[],
    namespace: NamespaceRef,
    patch: ConsumerPatch,
    asking: Principal,
  ): Promise<void> {
    if (DIRECTING.every((field) => patch[field] === undefined)) return;
    const topicIds = topics.map(({ topicId }) => topicId);
    await this.rights.require(asking, namespace, topicIds);
    if (patch.runsOn) await this.rights.requireOther(asking, patch.runsOn.user, namespace, topicIds);
  }
}

/** The form of the patch was checked before; the limit is that of all headers together. */
function mergeHeaders(
  secrets: ConsumerSecrets,
  patch: Readonly<Record<string, string | null>> | null,
): ConsumerSecrets {
  const before = patch === null ? [] : Object.entries(secrets.headers);
  const changed = new Set(Object.keys(patch ?? {}).map(headerKey));
  const kept = before.filter(([name]) => !changed.has(headerKey(name)));
  const set = Object.entries(patch ?? {}).filter((entry): entry is [string, string] => entry[1] !== null);
  if (kept.length + set.length > HEADERS_MAX) {
    const detail = `must leave the consumer with at most ${HEADERS_MAX} headers`;
    throw invalidConsumer({ pointer: '/headers', detail });
  }
  return { ...secrets, headers: Object.fromEntries([...kept, ...set]) };
}
