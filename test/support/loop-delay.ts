import type { TestProcess } from './app.js';

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const gauge = (metrics: string, name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]) * 1_000;

/** How late the event loop of a server was since this was last asked, as its own metrics tell: asking begins a new window. */
export async function loopDelay({ client }: Pick<TestProcess, 'client'>): Promise<LoopDelay> {
  const { text } = await client.get('/metrics');
  return {
    p99Ms: gauge(text, 'nodejs_eventloop_lag_p99_seconds'),
    maxMs: gauge(text, 'nodejs_eventloop_lag_max_seconds'),
  };
}

/**
 * While `work` is done. A window of a second has a hundred samples, so that what blocks once is the maximum and what blocks again and
 * again is the p99. The best of several rounds: a busy machine delays a process now and then, a fault in every round.
 */
export async function loopDelayDuring(
  server: Pick<TestProcess, 'client'>,
  work: () => Promise<unknown>,
  { goodMs, rounds = 5 }: { readonly goodMs: number; readonly rounds?: number },
): Promise<LoopDelay> {
  let best: LoopDelay | undefined;
  for (let round = 0; round < rounds && !(best && best.maxMs <= goodMs); round++) {
    await loopDelay(server);
    await work();
    // A delay is noted in the turn after it: what is asked at once would not hear of the last one.
    for (let turn = 0; turn < 3; turn++) await server.client.get('/health/live');
    const found = await loopDelay(server);
    if (!best || found.maxMs < best.maxMs) best = found;
  }
  return best!;
}
