import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { systemActor, type Actor } from '../../../kernel/aggregate.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { deleteNamespace, type NamespaceLife } from '../domain/namespace.js';
import { finishDeletion } from '../domain/tenant.js';
import { NamespaceContents } from './namespace-removal.js';
import { DeletionJobs, NamespaceCatalog, TenantCatalog, type TenantDeletion } from './ports.js';

const PAGE = 100;
const TOLD_EVERY_MS = 250;
/** Counting takes at most a twentieth of the time. */
const COUNT_SHARE = 20;

/**
 * Removes a tenant that is being deleted: what its namespaces hold, the namespaces, and with the tenant itself all that was permitted in
 * it. Each step finds for itself what is left, so that it goes on from wherever an earlier attempt ended, and two may do it at once.
 */
@Injectable()
export class TenantRemoval {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
    private readonly contents: NamespaceContents,
    private readonly jobs: DeletionJobs,
  ) {}

  async run(job: TenantDeletion, signal: AbortSignal): Promise<void> {
    const by = systemActor(job.deletionId);
    const over = new AbortController();
    await this.tell(job);
    const telling = this.keepTelling(job, over.signal);
    try {
      do await this.empty(job, by, signal);
      while (!(await this.end(job, by)));
    } finally {
      over.abort();
      await telling;
    }
  }

  /** Contents first: nothing new comes into the tenant, so what is due for the deleted namespaces finds nothing to do. */
  private async empty(job: TenantDeletion, by: Actor, signal: AbortSignal): Promise<void> {
    await this.contents.clear(job, by, signal);
    for (let rest = await this.some(job); rest.length > 0; rest = await this.some(job)) {
      for (const { tenantId, namespaceId, namespaceUid } of rest) {
        signal.throwIfAborted();
        const ref = { tenantId, namespaceId };
        await this.aggregates.change(this.namespaces, ref, by, (state) =>
          state.status === 'active' && state.namespaceUid === namespaceUid ? deleteNamespace(state, ref, true) : [],
        );
      }
    }
    // What was being made while the deletion began; without namespaces there is no place for more.
    await this.contents.clear(job, by, signal);
  }

  private some({ tenantId, deletionId }: TenantDeletion): Promise<NamespaceLife[]> {
    return this.namespaces.ending(tenantId, deletionId, PAGE);
  }

  /** False: a namespace came while the deletion began. */
  private async end({ tenantId, deletionId }: TenantDeletion, by: Actor): Promise<boolean> {
    try {
      await this.aggregates.change(this.tenants, { tenantId }, by, (state) => finishDeletion(state, deletionId));
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'tenant-not-empty') return false;
      throw error;
    }
  }

  private async tell(job: TenantDeletion): Promise<void> {
    const namespaces = await this.namespaces.count(job.tenantId);
    await this.jobs.progress(job, namespaces + (await this.contents.count(job.tenantId)));
  }

  private async keepTelling(job: TenantDeletion, signal: AbortSignal): Promise<void> {
    for (let took = 0; !signal.aborted;) {
      await pause(Math.max(TOLD_EVERY_MS, took * COUNT_SHARE), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
      if (signal.aborted) return;
      const began = performance.now();
      // What hinders it hinders the removal, too, which says so.
      await this.tell(job).catch(() => undefined);
      took = performance.now() - began;
    }
  }
}
