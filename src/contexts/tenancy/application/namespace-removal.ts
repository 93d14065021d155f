import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { systemActor, type Actor } from '../../../kernel/aggregate.js';
import { Aggregates, type ChangeOptions } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { deleteNamespace, type NamespaceLife, type NamespaceRef, type NamespaceState } from '../domain/namespace.js';
import { NamespaceCatalog, type EndingTenant, type NamespaceContentProvider } from './ports.js';

/** Contexts that keep things in namespaces register here: they come later in the order of contexts. */
export class NamespaceContents {
  private readonly kinds: NamespaceContentProvider[] = [];

  register(provider: NamespaceContentProvider): void {
    this.kinds.push(provider);
  }

  async any(sql: Sql, namespace: NamespaceRef): Promise<boolean> {
    for (const kind of this.kinds) if (await kind.any(sql, namespace)) return true;
    return false;
  }

  /** What was registered last goes first: it may refer to what was there before. */
  async remove(namespace: NamespaceLife, by: Actor): Promise<void> {
    for (const kind of this.kinds.toReversed()) await kind.remove(namespace, by);
  }

  async count(tenantId: string): Promise<number> {
    let count = 0;
    for (const kind of this.kinds) count += await kind.count(tenantId);
    return count;
  }

  async clear(tenant: EndingTenant, by: Actor, signal: AbortSignal): Promise<void> {
    for (const kind of this.kinds.toReversed()) await kind.clear(tenant, by, signal);
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

  /** Unless `forced`, a namespace that holds anything stays (409). */
  async remove(namespace: NamespaceRef, forced: boolean, by: Actor, options?: ChangeOptions): Promise<void> {
    const decide = (state: NamespaceState) => deleteNamespace(state, namespace, forced);
    const { state } = await this.aggregates.change(this.namespaces, namespace, by, decide, options);
    if (forced) await this.contents.remove({ ...namespace, namespaceUid: state.namespaceUid! }, by);
  }
}

/** Removes what a crash left between the deletion of a namespace and that of its contents. */
export class RemoveNamespaceContents extends Command<void> {
  constructor(
    readonly namespace: NamespaceLife,
    readonly correlationId: string,
  ) {
    super();
  }
}

@CommandHandler(RemoveNamespaceContents)
export class RemoveNamespaceContentsHandler implements ICommandHandler<RemoveNamespaceContents> {
  constructor(private readonly contents: NamespaceContents) {}

  execute({ namespace, correlationId }: RemoveNamespaceContents): Promise<void> {
    return this.contents.remove(namespace, systemActor(correlationId));
  }
}
