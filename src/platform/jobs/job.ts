/** `failed`: the last attempt failed, and another one follows. */
export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

/** Background work with an end, stored, with progress; another instance continues it after a crash. */
export interface Job<Payload = unknown> {
  readonly jobId: string;
  /** Whose it is; `$system` for what belongs to no tenant. */
  readonly tenantId: string;
  readonly kind: string;
  /** What is to be done, as JSON has it. */
  readonly payload: Payload;
  readonly state: JobState;
  readonly total: number;
  readonly done: number;
  /** Where the next attempt continues, in a format of the kind; null: at the beginning. */
  readonly resumeAt: string | null;
  /** Rises while an instance works at it. */
  readonly beat: number;
  readonly cancelRequested: boolean;
  /** Why the last attempt failed. */
  readonly error: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

export type NewJob = Pick<Job, 'tenantId' | 'jobId' | 'kind' | 'payload' | 'createdAt'>;

export type Progress = Pick<Job, 'total' | 'done'> & Partial<Pick<Job, 'resumeAt'>>;

/** Stores the progress. Rejects if the store is away, or if another attempt has the job by now. */
export type ReportProgress = (progress: Progress) => Promise<void>;

/** A kind of job. The context that owns it registers it with `JobRunner`. */
export interface JobKind<Payload = unknown> {
  /** Stored with each job: never changes. */
  readonly name: string;
  /** The lines in the log for a job that is done and for an attempt that failed, and the field that holds the id in them. */
  readonly log: { readonly done: string; readonly failed: string; readonly id: string };
  /**
   * Works at a job until it is done. After a crash or a rejection another attempt follows, here or on another instance, and gets the
   * progress of the one before: each step must find out by itself what is left to do. Rejects soon after the signal, which means that
   * the process stops, that the job is to be cancelled, or that another instance may have it.
   */
  run(job: Job<Payload>, report: ReportProgress, signal: AbortSignal): Promise<void>;
}
