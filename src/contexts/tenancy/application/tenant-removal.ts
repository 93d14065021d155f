import { Injectable } from '@nestjs/common';
import { systemActor, type Actor } from '../../../kernel/aggregate.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { Loop, type Job, type JobKind, type ReportProgress } from '../../../platform/jobs/index.js';
import { deleteNamespace, type NamespaceLife } from '../domain/namespace.js';
import { finishDeletion } from '../domain/tenant.js';
import { progressWith } from '../domain/tenant-deletion.js';
import { NamespaceContents } from './namespace-removal.js';
import { NamespaceCatalog, TenantCatalog, type EndingTenant } from './ports.js';
import { TENANT_DELETION } from './tenant-deletions.js';

const PAGE = 100;
const REPORTED_EVERY_MS = 250;
/** Counting takes at most a twentieth of the time. */
const COUNT_SHARE = 20;

/**
 * Removes a tenant that is being deleted: what its namespaces hold, the namespaces, and with the tenant itself all that was permitted in
 * it. Each step looks for what is left, so that it continues from wherever an earlier attempt ended, and two may run at once. The
 * job is added and completed in the transactions of the tenant's own events (see PostgresTenants).
 */
@Injectable()
export class TenantRemoval implements JobKind {
  readonly name = TENANT_DELETION;
  readonly log = { done: 'tenant removed', failed: 'a tenant could not be removed; will try again', id: 'deletionId' };

  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
    private readonly contents: NamespaceContents,
  ) {}

  async run(
    { jobId: deletionId, tenantId, total, done }: Job,
    report: ReportProgress,
    signal: AbortSignal,
  ): Promise<void> {
    const tenant = { tenantId, deletionId };
    const by = systemActor(deletionId);
    let progress = { total, done };
    let took = 0;
    const count = async (): Promise<void> => {
      const began = performance.now();
      progress = progressWith(progress, await this.left(tenantId));
      await report(progress);
      took = performance.now() - began;
    };
    await count();
    // What makes it fail also fails the removal, which reports it.
    const every = (): number => Math.max(REPORTED_EVERY_MS, took * COUNT_SHARE);
    const counting = new Loop({ name: 'tenant-deletion-progress', restsFirst: true, every, runOnce: count });
    counting.start();
    try {
      do await this.empty(tenant, by, signal);
      while (!(await this.end(tenant, by)));
    } finally {
      await counting.close();
    }
  }

  /** Contents first: nothing new comes into the tenant, so what is due for the deleted namespaces finds nothing to do. */
  private async empty(tenant: EndingTenant, by: Actor, signal: AbortSignal): Promise<void> {
    await this.contents.clear(tenant, by, signal);
    for (let rest = await this.remaining(tenant); rest.length > 0; rest = await this.remaining(tenant)) {
      for (const { tenantId, namespaceId, namespaceUid } of rest) {
        signal.throwIfAborted();
        const ref = { tenantId, namespaceId };
        await this.aggregates.change(this.namespaces, ref, by, (state) =>
          state.status === 'active' && state.namespaceUid === namespaceUid ? deleteNamespace(state, ref, true) : [],
        );
      }
    }
    // What was being created while the deletion began; without namespaces there is no place for more.
    await this.contents.clear(tenant, by, signal);
  }

  private remaining({ tenantId, deletionId }: EndingTenant): Promise<NamespaceLife[]> {
    return this.namespaces.ending(tenantId, deletionId, PAGE);
  }

  /** False: a namespace came while the deletion began. */
  private async end({ tenantId, deletionId }: EndingTenant, by: Actor): Promise<boolean> {
    try {
      await this.aggregates.change(this.tenants, { tenantId }, by, (state) => finishDeletion(state, deletionId));
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'tenant-not-empty') return false;
      throw error;
    }
  }

  private async left(tenantId: string): Promise<number> {
    const namespaces = await this.namespaces.count(tenantId);
    return namespaces + (await this.contents.count(tenantId));
  }
}
