import { MANAGEMENT_TOPICS } from '../../kernel/aggregate.js';
import type { Hints, LogReader } from '../event-log/index.js';
import { ManagementWatch } from '../event-log/index.js';
import { Consistency } from './consistency.js';
import type { Request } from './request.js';

/** An instance that sees the end of a log when it looks; `ends` is what is committed, `looks` the number of its looks. */
function instance() {
  const log = { end: 5, looks: 0, away: undefined as Error | undefined };
  const heads = async (): Promise<Map<string, number>> => {
    log.looks++;
    if (log.away) throw log.away;
    return new Map([[MANAGEMENT_TOPICS.tenants, log.end]]);
  };
  const follow = async (_: object, after: number): Promise<object[]> =>
    Array.from({ length: log.end - after }, (_event, i) => ({ position: after + 1 + i }));
  const hints = { onHint: () => undefined, onGap: () => undefined } as unknown as Hints;
  const reader = { heads, follow } as unknown as LogReader;
  const watch = new ManagementWatch(reader, hints, {
    pollMs: undefined,
    notice: () => undefined,
    onError: () => undefined,
  });
  const consistency = new Consistency(watch);
  const ask = (token: string): Promise<void> =>
    consistency.waitUntilCaughtUp({ headers: { 'x-consistency-token': token } } as unknown as Request);
  return { log, start: () => watch.start(), ask };
}

describe('a request with a consistency token', () => {
  it('waits for what another instance has committed, but not for what is known', async () => {
    const { log, start, ask } = instance();
    await start();
    await ask('tenants.5');
    expect(log.looks).toBe(1);
    log.end = 7;
    await ask('tenants.7');
    expect(log.looks).toBe(2);
  });

  it('is refused at once if no change has that place; a hundred such share the looks', async () => {
    const { log, start, ask } = instance();
    await start();
    const answers = await Promise.allSettled(Array.from({ length: 100 }, () => ask('tenants.999999999999999')));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'invalid-request' } });
    expect(log.looks).toBeLessThanOrEqual(3);
  });

  it('fails if the store is unreachable', async () => {
    const { log, start, ask } = instance();
    await start();
    log.away = new Error('away');
    await expect(ask('tenants.6')).rejects.toBe(log.away);
  });
});
