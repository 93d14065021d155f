import { ExpensiveQuerySlots, type SlotHolder } from './expensive-query-slots.js';

const asked = (): AbortSignal => new AbortController().signal;
const tenant = (tenantId: string, userId = `owner of ${tenantId}`): SlotHolder => ({ tenantId, userId });
const system = (userId: string): SlotHolder => ({ tenantId: undefined, userId });

describe('an export or verification', () => {
  it('runs once at a time for a tenant; a second one is throttled', async () => {
    const work = new ExpensiveQuerySlots();
    const done = Promise.withResolvers<void>();
    const running = work.run(tenant('a'), asked(), () => done.promise);
    expect(() => work.enter(tenant('a'), asked())).toThrow(
      expect.objectContaining({ code: 'audit-under-way', kind: 'throttled' }),
    );
    done.resolve();
    await running;
    expect(work.enter(tenant('a'), asked()).signal.aborted).toBe(false);
  });

  it('runs for four tenants at once; the next one is unavailable, not throttled', async () => {
    const work = new ExpensiveQuerySlots();
    const slots = ['a', 'b', 'c', 'd'].map((name) => work.enter(tenant(name), asked()));
    await expect(work.run(tenant('e'), asked(), () => Promise.resolve())).rejects.toMatchObject({
      code: 'audit-busy',
      kind: 'unavailable',
    });
    slots[0]!.leave();
    await expect(work.run(tenant('e'), asked(), () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('runs once at a time for a user, across all tenants', () => {
    const work = new ExpensiveQuerySlots();
    const slot = work.enter(tenant('a', 'usr_1'), asked());
    expect(() => work.enter(tenant('b', 'usr_1'), asked())).toThrow(
      expect.objectContaining({ code: 'audit-under-way' }),
    );
    expect(work.enter(tenant('b', 'usr_2'), asked()).signal.aborted).toBe(false);
    slot.leave();
    expect(work.enter(tenant('c', 'usr_1'), asked()).signal.aborted).toBe(false);
  });

  it('of all tenants is held up by no tenant and no other user', () => {
    const work = new ExpensiveQuerySlots();
    for (const name of ['a', 'b', 'c', 'd']) work.enter(tenant(name), asked());
    work.enter(system('usr_1'), asked());
    expect(() => work.enter(system('usr_1'), asked())).toThrow(expect.objectContaining({ code: 'audit-under-way' }));
    expect(work.enter(system('usr_2'), asked()).signal.aborted).toBe(false);
    expect(() => work.enter(system('usr_3'), asked())).toThrow(expect.objectContaining({ code: 'audit-busy' }));
  });

  it('frees its slot when the client is gone, and stops with the instance', () => {
    const work = new ExpensiveQuerySlots();
    const gone = new AbortController();
    work.enter(tenant('a'), gone.signal);
    gone.abort();
    expect(() => work.enter(tenant('b'), gone.signal)).toThrow(expect.objectContaining({ code: 'audit-stopped' }));
    const { signal } = work.enter(tenant('a'), asked());
    expect(signal.aborted).toBe(false);
    work.beforeApplicationShutdown();
    expect(signal.aborted).toBe(true);
  });

  it('that ends late does not free the slot of the next one', () => {
    const work = new ExpensiveQuerySlots();
    const gone = new AbortController();
    const late = work.enter(tenant('a'), gone.signal);
    gone.abort();
    work.enter(tenant('a'), asked());
    late.leave();
    expect(() => work.enter(tenant('a'), asked())).toThrow(expect.objectContaining({ code: 'audit-under-way' }));
  });
});
