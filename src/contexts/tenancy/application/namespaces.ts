import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Actor, Versioned } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { newId } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import {
  createNamespace,
  namespaceNotFound,
  renameNamespace,
  type NamespaceRef,
  type NamespaceState,
} from '../domain/namespace.js';
import { tenantNotFound } from '../domain/tenant.js';
import { NamespaceRemoval } from './namespace-removal.js';
import { NamespaceCatalog, TenantCatalog, type NamespaceView } from './ports.js';

export class CreateNamespace extends Command<NamespaceView> {
  constructor(
    readonly tenantId: string,
    readonly input: { readonly id?: string; readonly name?: string },
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(CreateNamespace)
export class CreateNamespaceHandler implements ICommandHandler<CreateNamespace> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
  ) {}

  async execute({ tenantId, input, by }: CreateNamespace): Promise<NamespaceView> {
    if (!(await this.tenants.find(tenantId))) throw tenantNotFound(tenantId);
    const ref = { tenantId, namespaceId: input.id ?? newId('ns') };
    const name = input.name ?? ref.namespaceId;
    const decide = (state: NamespaceState) => createNamespace(state, ref, randomUUID(), name);
    return viewOf(ref, await this.aggregates.change(this.namespaces, ref, by, decide));
  }
}

export class RenameNamespace extends Command<NamespaceView> {
  constructor(
    readonly namespace: NamespaceRef,
    readonly name: string,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(RenameNamespace)
export class RenameNamespaceHandler implements ICommandHandler<RenameNamespace> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly namespaces: NamespaceCatalog,
  ) {}

  async execute({ namespace: ref, name, by, expectedVersion }: RenameNamespace): Promise<NamespaceView> {
    const decide = (state: NamespaceState) => renameNamespace(state, ref, name);
    return viewOf(ref, await this.aggregates.change(this.namespaces, ref, by, decide, { expectedVersion }));
  }
}

export class DeleteNamespace extends Command<void> {
  constructor(
    readonly namespace: NamespaceRef,
    readonly force: boolean,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

/** Refused while it has topics or consumers; with `force` they are deleted, too. */
@CommandHandler(DeleteNamespace)
export class DeleteNamespaceHandler implements ICommandHandler<DeleteNamespace> {
  constructor(private readonly removal: NamespaceRemoval) {}

  async execute({ namespace: ref, force, by, expectedVersion }: DeleteNamespace): Promise<void> {
    await this.removal.remove(ref, force, by, { expectedVersion });
  }
}

export class GetNamespace extends Query<NamespaceView> {
  constructor(readonly namespace: NamespaceRef) {
    super();
  }
}

@QueryHandler(GetNamespace)
export class GetNamespaceHandler implements IQueryHandler<GetNamespace> {
  constructor(private readonly namespaces: NamespaceCatalog) {}

  async execute({ namespace }: GetNamespace): Promise<NamespaceView> {
    const found = await this.namespaces.find(namespace);
    if (!found) throw namespaceNotFound(namespace);
    return found;
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListNamespaces extends Query<NamespaceView[]> {
  constructor(
    readonly tenantId: string,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListNamespaces)
export class ListNamespacesHandler implements IQueryHandler<ListNamespaces> {
  constructor(
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
  ) {}

  async execute({ tenantId, afterId, limit }: ListNamespaces): Promise<NamespaceView[]> {
    if (!(await this.tenants.find(tenantId))) throw tenantNotFound(tenantId);
    return this.namespaces.list(tenantId, afterId, limit + 1);
  }
}

function viewOf(ref: NamespaceRef, { state, version, recordedAt }: Versioned<NamespaceState>): NamespaceView {
  if (state.status === 'none') throw namespaceNotFound(ref);
  return { ...ref, name: state.name, version, createdAt: state.createdAt, updatedAt: recordedAt };
}

export const NAMESPACE_HANDLERS = [
  CreateNamespaceHandler,
  RenameNamespaceHandler,
  DeleteNamespaceHandler,
  GetNamespaceHandler,
  ListNamespacesHandler,
];
