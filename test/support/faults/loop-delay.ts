import type { TestProcess } from '../server/app.js';

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const TICKS_MS = 100;

const gauge = (metrics: string, name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]) * 1_000;

/** The delay of the event loop of a server since the last call, by its own metrics: each call begins a new window. */
export async function loopDelay({ client }: Pick<TestProcess, 'client'>): Promise<LoopDelay> {
  const { text } = await client.get('/metrics');
  return {
    p99Ms: gauge(text, 'nodejs_eventloop_lag_p99_seconds'),
    maxMs: gauge(text, 'nodejs_eventloop_lag_max_seconds'),
  };
}

/**
 * During `work`. A window of a second has a hundred samples, so a single block is the maximum and repeated blocks are the p99. The best of
 * several rounds: a busy machine delays a process now and then, a fault in every round.
 */
export async function loopDelayDuring(
  server: Pick<TestProcess, 'client'>,
  work: () => Promise<unknown>,
  { goodMs, rounds = 5 }: { readonly goodMs: number; readonly rounds?: number },
): Promise<LoopDelay> {
  let best: LoopDelay | undefined;
  for (let round = 0; round < rounds && !(best && best.maxMs <= goodMs); round++) {
    await loopDelay(server);
    await tick(server);
    await work();
    await tick(server);
    const found = await loopDelay(server);
    if (!best || found.maxMs < best.maxMs) best = found;
  }
  return best!;
}

/** The monitor ticks every 10 ms: it needs one tick to begin a window, and notes a delay with the tick after it. */
async function tick({ client }: Pick<TestProcess, 'client'>): Promise<void> {
  for (const end = performance.now() + TICKS_MS; performance.now() < end;) await client.get('/health/live');
}
