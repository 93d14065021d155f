import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor, type Actor } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import {
  Aggregates,
  toDomainEvent,
  type ChangeOptions,
  type Reaction,
  type StoredEvent,
} from '../../../platform/event-log/index.js';
import { deleteNamespace, namespaceAggregate, type NamespaceRef } from '../domain/namespace.js';
import { NamespaceCatalog } from './ports.js';

/** A kind of thing that namespaces hold. */
export interface NamespaceHoldings {
  any(namespace: NamespaceRef): Promise<boolean>;
  /** Removes what was made until `until` (ms): what is younger belongs to a namespace made anew under the same id. Idempotent. */
  remove(namespace: NamespaceRef, until: number, by: Actor): Promise<void>;
}

/** Whose contexts keep things in namespaces say so here: they come later in the order of contexts. */
export class NamespaceContents {
  private readonly kinds: NamespaceHoldings[] = [];

  register(holdings: NamespaceHoldings): void {
    this.kinds.push(holdings);
  }

  async isEmpty(namespace: NamespaceRef): Promise<boolean> {
    const held = await Promise.all(this.kinds.map((kind) => kind.any(namespace)));
    return !held.includes(true);
  }

  async remove(namespace: NamespaceRef, until: number, by: Actor): Promise<void> {
    for (const kind of this.kinds) await kind.remove(namespace, until, by);
  }
}

/** Deletes namespaces with all that they hold: when it is done, one made under the same id begins empty. */
@Injectable()
export class NamespaceRemoval {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly namespaces: NamespaceCatalog,
    private readonly contents: NamespaceContents,
  ) {}

  async remove(namespace: NamespaceRef, by: Actor, options?: ChangeOptions): Promise<void> {
    const decide = (state: Parameters<typeof deleteNamespace>[0]) => deleteNamespace(state, namespace);
    const { state } = await this.aggregates.change(this.namespaces, namespace, by, decide, options);
    if (state.status === 'none') await this.contents.remove(namespace, state.deletedAt!, by);
  }
}

/** Does what a crash between the deletion of a namespace and that of its contents has left. */
@Injectable()
export class OnNamespaceDeleted implements Reaction {
  readonly name = 'tenancy:on-namespace-deleted';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.namespaces };

  constructor(private readonly contents: NamespaceContents) {}

  handle = async (stored: StoredEvent): Promise<void> => {
    const event = toDomainEvent(namespaceAggregate, stored);
    if (event.type !== 'namespace.deleted') return;
    await this.contents.remove(event.data, stored.recordedAt, systemActor(stored.correlationId ?? stored.id));
  };
}
