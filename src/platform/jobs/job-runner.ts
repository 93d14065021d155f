import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/domain-error.js';
import type { Job, JobKind, Progress } from './job.js';
import { JobStore } from './job-store.js';
import { Loop } from './loop.js';

const LOOKED_AT = 100;
const AT_ONCE = 4;
const KEPT_MS = 30 * 86_400_000;
const SWEEP_MS = 3_600_000;

export interface JobRunnerOptions {
  /** Identifies this process in the rows of its jobs. */
  readonly owner: number;
  /** How often it looks for abandoned jobs: those with the same beat in two looks. */
  readonly lookMs: number;
  /** How often it raises the beats of its own jobs: several times between two looks. */
  readonly beatMs: number;
}

export const JOB_PACE = { lookMs: 3_000, beatMs: 750 };

/** A job that this process works on. */
interface Attempt {
  readonly job: Job;
  /** Aborts it, because another instance may have the job, or because cancellation was requested. */
  readonly end: AbortController;
  /** Aborts it when no beat was stored for so long that other instances may take the job over. */
  lapse: NodeJS.Timeout | undefined;
  cancelled: boolean;
}

/**
 * Runs jobs, several at once. The instance that begins one works on it and raises its beat; an instance that finds the same beat in two
 * looks (after a crash or a failure, for instance) takes the job over. Clocks of different machines are never compared. An attempt whose
 * beats cannot be stored is aborted before another instance may take over, so two instances do not work on one job. The exceptions are the
 * step in progress at that moment, and a process that was suspended as a whole: kinds must tolerate them.
 *
 * Rejected: pg-boss and graphile-worker. They bring a schema and migrations of their own, and know neither tenants nor progress.
 */
export class JobRunner {
  private readonly kinds = new Map<string, JobKind>();
  private readonly attempts = new Map<string, Attempt>();
  private readonly working = new Map<string, Promise<void>>();
  private readonly beatsSeen = new Map<string, number>();
  private readonly stop = new AbortController();
  private readonly looks: Loop;
  private readonly beats: Loop;
  private readonly sweeps: Loop;

  constructor(
    private readonly store: JobStore,
    private readonly clock: Clock,
    private readonly log: PinoLogger,
    private readonly options: JobRunnerOptions,
  ) {
    const { lookMs, beatMs } = options;
    this.looks = new Loop({
      name: 'jobs',
      every: lookMs,
      runOnce: () => this.look(),
      onError: (err) => this.log.warn({ err }, 'jobs could not be looked up; will try again'),
    });
    this.beats = new Loop({
      name: 'job-beats',
      restsFirst: true,
      every: () => (this.attempts.size > 0 ? beatMs : Infinity),
      nudgeDelay: () => beatMs,
      runOnce: () => this.beat(),
    });
    this.sweeps = new Loop({
      name: 'job-sweep',
      every: SWEEP_MS,
      backOff: { minMs: lookMs, maxMs: SWEEP_MS },
      runOnce: () => this.store.forget(this.clock.now() - KEPT_MS),
      onError: (err) => this.log.warn({ err }, 'finished jobs could not be forgotten; will try again'),
    });
  }

  register(kind: JobKind): void {
    this.kinds.set(kind.name, kind);
  }

  start(): void {
    for (const loop of [this.looks, this.beats, this.sweeps]) loop.start();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all([this.looks.close(), this.sweeps.close(), ...this.working.values()]);
    await this.beats.close();
  }

  /** Now, unless this instance is busy; then at one of the next looks, on any instance. */
  begin(job: Job): void {
    const kind = this.kinds.get(job.kind);
    if (!kind || this.stop.signal.aborted || this.working.has(job.jobId) || this.working.size >= AT_ONCE) return;
    const work = this.work(job, kind)
      .catch((err: unknown) => this.log.warn({ err, ...namesOf(job, kind) }, kind.log.failed))
      .finally(() => this.working.delete(job.jobId));
    this.working.set(job.jobId, work);
  }

  private async look(): Promise<void> {
    const open = await this.store.open([...this.kinds.keys()], LOOKED_AT);
    for (const job of open) if (this.beatsSeen.get(job.jobId) === job.beat) this.begin(job);
    this.beatsSeen.clear();
    for (const { jobId, beat } of open) this.beatsSeen.set(jobId, beat);
  }

  private async work(seen: Job, kind: JobKind): Promise<void> {
    const { owner } = this.options;
    const sentAt = performance.now();
    const job = await this.store.claim(seen, owner);
    if (!job) return;
    if (job.cancelRequested) return this.store.cancelled(job, owner, this.clock.now());
    const attempt: Attempt = { job, end: new AbortController(), lapse: undefined, cancelled: false };
    this.attempts.set(job.jobId, attempt);
    this.held(attempt, sentAt);
    this.beats.nudge();
    try {
      const signal = AbortSignal.any([this.stop.signal, attempt.end.signal]);
      await kind.run(job, (progress) => this.report(attempt, progress), signal);
      await this.store.complete(job, owner, this.clock.now());
      this.log.info(namesOf(job, kind), kind.log.done);
    } catch (error) {
      await this.failed(attempt, kind, error);
    } finally {
      clearTimeout(attempt.lapse);
      this.attempts.delete(job.jobId);
    }
  }

  private async failed({ job, end, cancelled }: Attempt, kind: JobKind, error: unknown): Promise<void> {
    const { owner } = this.options;
    if (cancelled) return this.store.cancelled(job, owner, this.clock.now());
    if (this.stop.signal.aborted) return;
    this.log.warn({ err: error, ...namesOf(job, kind) }, kind.log.failed);
    if (end.signal.aborted) return;
    const message =
      error instanceof DomainError ? error.message : 'Something went wrong inside the server; see its log.';
    // If the store is away it is tried again when its beat has stood still: the line above says why.
    await this.store.failed(job, owner, message).catch(() => undefined);
  }

  private async beat(): Promise<void> {
    const outcomes = await Promise.allSettled([...this.attempts.values()].map((attempt) => this.beatOf(attempt)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async beatOf(attempt: Attempt): Promise<void> {
    const sentAt = performance.now();
    const row = await this.store.beat(attempt.job, this.options.owner);
    if (row && !row.cancelRequested) return this.held(attempt, sentAt);
    attempt.cancelled = row?.cancelRequested ?? false;
    attempt.end.abort();
  }

  private async report(attempt: Attempt, progress: Progress): Promise<void> {
    const sentAt = performance.now();
    const ours = await this.store.progress(attempt.job, this.options.owner, progress);
    if (ours) return this.held(attempt, sentAt);
    attempt.end.abort();
    attempt.end.signal.throwIfAborted();
  }

  /** From then on it is ours for the time between two looks: before that no instance can have seen the same beat twice. */
  private held(attempt: Attempt, sentAt: number): void {
    clearTimeout(attempt.lapse);
    const leftMs = sentAt + this.options.lookMs - performance.now();
    attempt.lapse = setTimeout(() => attempt.end.abort(), leftMs).unref();
  }
}

const namesOf = ({ tenantId: tenant, jobId }: Job, kind: JobKind): Record<string, string> => ({
  tenant,
  [kind.log.id]: jobId,
});
