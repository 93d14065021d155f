import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { MANAGEMENT_TOPICS, type Actor } from '../../../kernel/aggregate.js';
import { DomainError } from '../../../kernel/domain-error.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { newId } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { JobRunner, JobStore } from '../../../platform/jobs/index.js';
import { deleteTenant, startDeletion, tenantNotFound, type TenantState } from '../domain/tenant.js';
import { TenantCatalog } from './ports.js';
import { findDeletion, TENANT_DELETION, type TenantDeletion } from './tenant-deletions.js';
import { TenantEndWaiter } from './tenant-end-waiter.js';

const PATIENCE_MS = 2_000;

/** Null: it held nothing and is gone. Otherwise the job that removes it, finished, or as it is after two seconds. */
export class DeleteTenant extends Command<TenantDeletion | null> {
  constructor(
    readonly tenantId: string,
    /** With all that it holds. */
    readonly force: boolean,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(DeleteTenant)
export class DeleteTenantHandler implements ICommandHandler<DeleteTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
    private readonly jobs: JobStore,
    private readonly runner: JobRunner,
    private readonly ends: TenantEndWaiter,
  ) {}

  /** A second request while it runs waits for the same job: nothing more is deleted, whatever version it names. */
  async execute(command: DeleteTenant): Promise<TenantDeletion | null> {
    const { tenantId, by } = command;
    const tenant = await this.tenants.find(tenantId);
    if (!tenant) throw tenantNotFound(tenantId);
    const deletionId = tenant.deletionId ?? (await this.begin(command));
    if (deletionId === null) return null;
    const ended = async (): Promise<boolean> => (await findDeletion(this.jobs, deletionId))?.state === 'completed';
    const position = await this.ends.waitFor(PATIENCE_MS, tenantId, ended);
    if (position !== undefined) by.onWritten?.(MANAGEMENT_TOPICS.tenants, position);
    return (await findDeletion(this.jobs, deletionId))!;
  }

  private async begin({ tenantId, force, by, expectedVersion }: DeleteTenant): Promise<string | null> {
    const ref = { tenantId };
    const options = { expectedVersion };
    try {
      await this.aggregates.change(this.tenants, ref, by, (state) => deleteTenant(state, ref), options);
      return null;
    } catch (error) {
      const code = error instanceof DomainError ? error.code : undefined;
      if (code !== 'tenant-deleting' && !(force && code === 'tenant-not-empty')) throw error;
    }
    const start = { deletionId: newId('del'), startedBy: by.origin?.userId ?? null };
    const decide = (state: TenantState) => startDeletion(state, ref, start);
    const { state } = await this.aggregates.change(this.tenants, ref, by, decide, options);
    const { deletionId } = (state as TenantState & { status: 'deleting' }).deletion!;
    const job = await this.jobs.find(TENANT_DELETION, deletionId);
    if (deletionId === start.deletionId && job) this.runner.begin(job);
    return deletionId;
  }
}
