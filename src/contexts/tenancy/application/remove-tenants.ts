import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { DeletionJobs, type TenantDeletion } from './ports.js';
import { TenantRemoval } from './tenant-removal.js';

const LOOK_MS = 3_000;
const LOOKED_AT = 100;
const AT_ONCE = 4;
const KEPT_MS = 30 * 86_400_000;
const SWEEP_MS = 3_600_000;

/**
 * Works off the deletions of tenants. The instance that begins one works at it, and its beat rises; another one takes over what it finds
 * with the same beat at two looks, after a crash for instance. No clock is compared with another; two at one job do no harm.
 */
@Injectable()
export class RemoveTenants {
  private readonly stop = new AbortController();
  private readonly working = new Map<string, Promise<void>>();
  private readonly beats = new Map<string, number>();
  private looking: Promise<void> | undefined;
  private sweptAt = -Infinity;

  constructor(
    private readonly removal: TenantRemoval,
    private readonly jobs: DeletionJobs,
    private readonly clock: Clock,
    private readonly log: PinoLogger,
  ) {}

  start(): void {
    this.looking ??= this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.looking;
    await Promise.all(this.working.values());
  }

  /** At once, if this instance has not enough to do; otherwise at one of the next looks, whoever has time. */
  begin(job: TenantDeletion): void {
    const { signal } = this.stop;
    if (signal.aborted || this.working.has(job.deletionId) || this.working.size >= AT_ONCE) return;
    const work = this.removal
      .run(job, signal)
      .then(() => this.log.info({ tenant: job.tenantId, deletionId: job.deletionId }, 'tenant removed'))
      .catch((error: unknown) => this.failed(job, error))
      .finally(() => this.working.delete(job.deletionId));
    this.working.set(job.deletionId, work);
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) =>
        this.log.warn({ err: error }, 'deletions of tenants could not be looked up; will try again'),
      );
      await pause(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const open = await this.jobs.open(LOOKED_AT);
    for (const job of open) if (this.beats.get(job.deletionId) === job.beat) this.begin(job);
    this.beats.clear();
    for (const { deletionId, beat } of open) this.beats.set(deletionId, beat);
    await this.sweep();
  }

  private async sweep(): Promise<void> {
    const now = this.clock.now();
    if (now - this.sweptAt < SWEEP_MS) return;
    await this.jobs.forget(now - KEPT_MS);
    this.sweptAt = now;
  }

  private async failed(job: TenantDeletion, error: unknown): Promise<void> {
    if (this.stop.signal.aborted) return;
    const { tenantId: tenant, deletionId } = job;
    this.log.warn({ err: error, tenant, deletionId }, 'a tenant could not be removed; will try again');
    const told = error instanceof DomainError ? error.message : 'Something went wrong inside the server; see its log.';
    await this.jobs.failed(job, told).catch(() => undefined);
  }
}
