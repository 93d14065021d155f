import { setTimeout as pause } from 'node:timers/promises';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { systemActor } from '../../../kernel/aggregate.js';
import { Clock, remainingWaitMs } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import type { TenantLife } from './ports.js';
import { TenantLifecycle } from './tenant-lifecycle.js';

const HANDLER_MS = 2_000;
const ENDED = new Set(['tenant-not-found', 'tenant-deleting']);

/** Completes what a crash left between the creation of a tenant and the membership of its founder. */
export class CompleteTenant extends Command<void> {
  constructor(
    readonly tenant: TenantLife,
    readonly owners: readonly string[],
    readonly createdAt: number,
    readonly correlationId: string,
    readonly signal: AbortSignal,
  ) {
    super();
  }
}

@CommandHandler(CompleteTenant)
export class CompleteTenantHandler implements ICommandHandler<CompleteTenant> {
  constructor(
    private readonly lifecycle: TenantLifecycle,
    private readonly clock: Clock,
  ) {}

  /** The request that creates the tenant does it a moment later, and records the user; this only covers a crash in between. */
  async execute({ tenant, owners, createdAt, correlationId, signal }: CompleteTenant): Promise<void> {
    await pause(remainingWaitMs(createdAt, HANDLER_MS, this.clock.now()), undefined, { signal });
    await this.lifecycle.began(tenant, owners, systemActor(correlationId)).catch(unlessItEnded);
  }
}

/** A tenant that is gone, or being deleted, needs no owner any more. */
function unlessItEnded(error: unknown): void {
  if (error instanceof DomainError && ENDED.has(error.code)) return;
  throw error;
}
