import { setTimeout as pause } from 'node:timers/promises';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { systemActor } from '../../../kernel/aggregate.js';
import { Clock, waitAfter } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { TenantLives, type TenantLife } from './tenant-lives.js';

const HANDLER_MS = 2_000;
const ENDED = new Set(['tenant-not-found', 'tenant-deleting']);

/** What a crash between the creation of a tenant and the membership of its founder has left. */
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
    private readonly lives: TenantLives,
    private readonly clock: Clock,
  ) {}

  /** Who creates it does it a moment later, and puts on record who did; it is only made good where that never came. */
  async execute({ tenant, owners, createdAt, correlationId, signal }: CompleteTenant): Promise<void> {
    await pause(waitAfter(createdAt, HANDLER_MS, this.clock.now()), undefined, { signal });
    await this.lives.began(tenant, owners, systemActor(correlationId)).catch(unlessItEnded);
  }
}

/** A life that is over, or ends, needs no beginning any more. */
function unlessItEnded(error: unknown): void {
  if (error instanceof DomainError && ENDED.has(error.code)) return;
  throw error;
}
