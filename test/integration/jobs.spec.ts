import type { PinoLogger } from 'nestjs-pino';
import type { Job, JobKind } from '../../src/platform/jobs/job.js';
import { JobRunner } from '../../src/platform/jobs/job-runner.js';
import { JobStore } from '../../src/platform/jobs/job-store.js';
import type { Database } from '../../src/platform/postgres/database.js';
import { SetClock } from '../support/server/log.js';
import { createTestDatabase, openDatabase, type TestDatabase } from '../support/server/postgres.js';

const NOW = Date.UTC(2026, 10, 30);
const DAY_MS = 86_400_000;
const PACE = { lookMs: 750, beatMs: 100 };
const log = { info: () => undefined, warn: () => undefined } as unknown as PinoLogger;

type Run = JobKind['run'];

const signalled = (): PromiseWithResolvers<void> => Promise.withResolvers<void>();

let store: TestDatabase;
let jobs: JobStore;
let ids = 0;
let owners = 0;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  store = await createTestDatabase();
  jobs = new JobStore(store.database);
});
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));
afterAll(() => store.drop());

const kindOf = (run: Run, name = `kind-${ids}`): JobKind => ({ name, run, log: { done: '', failed: '', id: 'jobId' } });

/** A job of the kind that the test is about. */
async function add(createdAt = NOW): Promise<Job> {
  const job = { tenantId: 'acme', jobId: `job_${++ids}`, kind: `kind-${ids}`, payload: { of: 'a test' }, createdAt };
  await store.database.transaction((sql) => jobs.add(sql, job));
  return (await find(job))!;
}

const find = ({ kind, jobId }: Pick<Job, 'kind' | 'jobId'>): Promise<Job | undefined> => jobs.find(kind, jobId);

/** An instance that runs this kind; with a database of its own if the test cuts it off. */
function startRunner(run: Run, { database = store.database, clock = new SetClock(NOW) } = {}): JobRunner {
  const runner = new JobRunner(watched(database), clock, log, { owner: ++owners, ...PACE });
  runner.register(kindOf(run));
  runner.start();
  open.push(runner);
  return runner;
}

const cutOff = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));

/** Resolves when a runner has written something. */
let written = signalled();

/** The store of a runner, which signals each of its statements. */
function watched(database: Database): JobStore {
  const query = async (...statement: Parameters<Database['query']>): Promise<unknown[]> => {
    const rows = await database.query(...statement);
    written.resolve();
    written = signalled();
    return rows;
  };
  return new JobStore({ query } as unknown as Database);
}

async function reached(job: Job, wanted: (now: Job) => boolean): Promise<Job> {
  for (;;) {
    const next = written.promise;
    const now = (await find(job))!;
    if (wanted(now)) return now;
    await next;
  }
}

it('a started job is done once, with its progress, however many instances look for jobs', async () => {
  const job = await add();
  const runs: Job[] = [];
  const run: Run = async (own, report) => {
    runs.push(own);
    await report({ total: 4, done: 1 });
  };
  const [first] = [startRunner(run), startRunner(run)];
  first.begin(job);
  first.begin(job);
  const done = await reached(job, ({ finishedAt }) => finishedAt !== null);
  expect(done).toMatchObject({ state: 'completed', total: 4, done: 4, finishedAt: NOW, error: null });
  expect(runs).toMatchObject([{ jobId: job.jobId, payload: { of: 'a test' }, state: 'running' }]);
});

it('of many instances that find an abandoned job, one gets it', async () => {
  const job = await add();
  let atOnce = 0;
  let runs = 0;
  const run: Run = async (_, report) => {
    expect(++atOnce).toBe(1);
    runs++;
    for (let done = 0; done < 20; done++) await report({ total: 20, done });
    atOnce--;
  };
  for (let i = 0; i < 4; i++) startRunner(run);
  await reached(job, ({ state }) => state === 'completed');
  expect(runs).toBe(1);
});

it('a long job stays with its instance, as long as that is alive', async () => {
  const job = await add();
  const ending = signalled();
  let runs = 0;
  const run: Run = async () => {
    runs++;
    await ending.promise;
  };
  startRunner(run).begin(job);
  startRunner(run);
  const rounds = (4 * PACE.lookMs) / PACE.beatMs;
  await reached(job, ({ beat }) => beat > rounds);
  expect(runs).toBe(1);
  ending.resolve();
  await reached(job, ({ state }) => state === 'completed');
});

it('a job whose instance cannot store its beat is aborted there, before another one continues from its progress', async () => {
  const job = await add();
  const order: string[] = [];
  const [begun, taken] = [signalled(), signalled()];
  const lost: Database = openDatabase(store.connection);
  const first = startRunner(
    async (_, report, signal) => {
      await report({ total: 10, done: 3, resumeAt: 'the third' });
      begun.resolve();
      await cutOff(signal).catch(() => order.push('cut off'));
      signal.throwIfAborted();
    },
    { database: lost },
  );
  first.begin(job);
  await begun.promise;
  await lost.close();
  startRunner(async ({ total, done, resumeAt }) => {
    order.push(`goes on: ${done} of ${total}, ${resumeAt}`);
    taken.resolve();
  });
  await taken.promise;
  expect(order).toEqual(['cut off', 'goes on: 3 of 10, the third']);
  await reached(job, ({ state }) => state === 'completed');
});

it('an attempt whose job was taken over gets an error, and changes nothing of it', async () => {
  const job = await add();
  const begun = signalled();
  const told = Promise.withResolvers<unknown>();
  const goOn = signalled();
  startRunner(async (_, report) => {
    begun.resolve();
    await goOn.promise;
    await report({ total: 1, done: 1 }).catch((error: unknown) => told.resolve(error));
  }).begin(job);
  await begun.promise;
  let other: Job | undefined;
  // Its own beat may come between.
  while (!other) other = await jobs.claim((await find(job))!, ++owners);
  goOn.resolve();
  await told.promise;
  expect(await find(job)).toMatchObject({ state: 'running', total: 0, beat: other.beat });
});

it('a job that fails reports why, and is tried again by itself', async () => {
  const job = await add();
  const failed = signalled();
  const goOn = signalled();
  let attempts = 0;
  startRunner(async () => {
    if (++attempts === 1) throw new Error('the secret of the house');
    failed.resolve();
    await goOn.promise;
  }).begin(job);
  const { error, finishedAt } = await reached(job, ({ state }) => state === 'failed');
  expect([error, finishedAt]).toEqual(['Something went wrong inside the server; see its log.', null]);
  await failed.promise;
  expect(await find(job)).toMatchObject({ state: 'running', error });
  goOn.resolve();
  expect(await reached(job, ({ state }) => state === 'completed')).toMatchObject({ error: null });
});

it('a cancelled job ends soon, or never begins', async () => {
  const [running, never] = [await add(), await add()];
  const begun = signalled();
  const run: Run = (_, __, signal) => {
    begun.resolve();
    return cutOff(signal);
  };
  const runner = startRunner(run);
  runner.register(kindOf(run, running.kind));
  runner.begin(running);
  await begun.promise;
  await jobs.requestCancel(running);
  await jobs.requestCancel(never);
  for (const job of [running, never])
    expect(await reached(job, ({ finishedAt }) => finishedAt !== null)).toMatchObject({ state: 'cancelled', done: 0 });
});

it('a job that was interrupted by the stop of its process has not failed, and waits for another one', async () => {
  const job = await add();
  const begun = signalled();
  const runner = startRunner(async (_, __, signal) => {
    begun.resolve();
    await cutOff(signal);
  });
  runner.begin(job);
  await begun.promise;
  await runner.close();
  expect(await find(job)).toMatchObject({ state: 'running', error: null, finishedAt: null });
  startRunner(async () => undefined);
  await reached(job, ({ state }) => state === 'completed');
});

it('jobs of kinds that an instance does not know are left to others', async () => {
  const job = await add();
  const other = await add();
  startRunner(async () => undefined);
  await reached(other, ({ state }) => state === 'completed');
  expect(await find(job)).toMatchObject({ state: 'queued', beat: 0 });
});

it('finished jobs are removed after 30 days, and not before', async () => {
  const clock = new SetClock(NOW + 30 * DAY_MS);
  const [old, young, unfinished] = [await add(), await add(), await add()];
  const finish = async (job: Job, at: number): Promise<void> => {
    await jobs.claim(job, ++owners);
    await jobs.complete(job, owners, at);
  };
  await finish(old, NOW - 1);
  await finish(young, NOW);
  startRunner(async () => Promise.reject(new Error('not now')), { clock });
  await reached(unfinished, ({ state }) => state === 'failed');
  expect([await find(old), (await find(young))?.state]).toEqual([undefined, 'completed']);
});
