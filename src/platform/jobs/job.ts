/** `failed`: the last attempt failed, and another one follows. */
export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

/** Background work with an end, stored, with progress; another instance continues it after a crash. */
export interface Job<Payload = unknown> {
  readonly jobId: string;
  /** The tenant it belongs to; `$system` if none. */
  readonly tenantId: string;
  readonly kind: string;
  /** What to do, as JSON. */
  readonly payload: Payload;
  readonly state: JobState;
  readonly total: number;
  readonly done: number;
  /** Where the next attempt continues, in a format of the kind; null: at the beginning. */
  readonly resumeAt: string | null;
  /** Rises while an instance works on it. */
  readonly beat: number;
  readonly cancelRequested: boolean;
  /** Why the last attempt failed. */
  readonly error: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

export type NewJob = Pick<Job, 'tenantId' | 'jobId' | 'kind' | 'payload' | 'createdAt'>;

export type Progress = Pick<Job, 'total' | 'done'> & Partial<Pick<Job, 'resumeAt'>>;

/** Stores the progress. Rejects if the store is unreachable, or if another attempt has taken the job. */
export type ReportProgress = (progress: Progress) => Promise<void>;

/** A kind of job. The context that owns it registers it with `JobRunner`. */
export interface JobKind<Payload = unknown> {
  /** Stored with each job: never changes. */
  readonly name: string;
  /** The log messages for a finished job and for a failed attempt, and the log field for the id. */
  readonly log: { readonly done: string; readonly failed: string; readonly id: string };
  /**
   * Works on a job until it is done. After a crash or a rejection another attempt follows, here or on another instance, and gets the
   * progress of the one before: each step must find out what is left to do. Rejects soon after the signal, which means that the process
   * stops, that the job is cancelled, or that another instance may have it.
   */
  run(job: Job<Payload>, report: ReportProgress, signal: AbortSignal): Promise<void>;
}
