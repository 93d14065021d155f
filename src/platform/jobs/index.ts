export type { Job, JobKind, JobState, NewJob, Progress, ReportProgress } from './job.js';
export { JobRunner } from './job-runner.js';
export { JobStore } from './job-store.js';
export { JobsModule } from './jobs.module.js';
export { Loop } from './loop.js';
