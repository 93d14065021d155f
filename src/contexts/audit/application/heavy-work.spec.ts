import { HeavyWork } from './heavy-work.js';

const asked = (): AbortSignal => new AbortController().signal;

describe('heavy work', () => {
  it('is done by four at once; the next is told to come again', async () => {
    const work = new HeavyWork();
    const done = Promise.withResolvers<void>();
    const running = work.run(asked(), () => done.promise);
    const slots = [1, 2, 3].map(() => work.enter(asked()));
    await expect(work.run(asked(), () => Promise.resolve())).rejects.toMatchObject({ code: 'audit-busy' });
    slots[0]!.leave();
    await expect(work.run(asked(), () => Promise.resolve('done'))).resolves.toBe('done');
    done.resolve();
    await running;
    expect(work.enter(asked()).signal.aborted).toBe(false);
  });

  it('gives the place free when whoever asked is gone, and stops with the instance', () => {
    const work = new HeavyWork();
    const gone = new AbortController();
    for (let i = 0; i < 4; i++) work.enter(gone.signal);
    gone.abort();
    expect(() => work.enter(gone.signal)).toThrow(expect.objectContaining({ code: 'audit-stopped' }));
    const { signal } = work.enter(asked());
    expect(signal.aborted).toBe(false);
    work.beforeApplicationShutdown();
    expect(signal.aborted).toBe(true);
  });
});
