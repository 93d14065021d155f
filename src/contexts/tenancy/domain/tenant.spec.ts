import fc from 'fast-check';
import {
  activateTenant,
  configureTenant,
  createTenant,
  deleteTenant,
  finishDeletion,
  firstOwners,
  NO_DEFAULTS,
  startDeletion,
  suspendTenant,
  tenantAggregate,
  type TenantChange,
  type TenantEvent,
  type TenantState,
} from './tenant.js';
import { effectiveLimitsOf, NO_LIMITS, type TenantLimits } from './tenant-limits.js';

const ref = { tenantId: 'acme' };
const founding = { name: 'Acme', tenantUid: 'life-1', founder: 'usr_1', owner: 'usr_2', defaults: NO_DEFAULTS };
const start = { deletionId: 'del_1', startedBy: 'usr_1' };

const after = (...events: TenantEvent[]): TenantState =>
  events.reduce<TenantState>(
    (state, event) => tenantAggregate.evolve(state, event, { recordedAt: 1 }),
    tenantAggregate.initial,
  );
const created: TenantEvent = { type: 'tenant.created', data: founding };
const started: TenantEvent = { type: 'tenant.deletion-started', data: start };
const suspended: TenantEvent = { type: 'tenant.suspended', data: { reason: 'unpaid' } };
const deleted: TenantEvent = { type: 'tenant.deleted', data: {} };

describe('the deletion of a tenant', () => {
  it.each([
    ['an active tenant', after(created)],
    ['a suspended one', after(created, suspended)],
  ])('is begun for %s', (_, state) => {
    expect(startDeletion(state, ref, start)).toEqual([started]);
  });

  it('is begun once: a second start leaves the first one as it is', () => {
    const state = after(created, started);
    expect(startDeletion(state, ref, { deletionId: 'del_2', startedBy: null })).toEqual([]);
    expect(state).toMatchObject({ status: 'deleting', deletion: start });
  });

  it.each<[string, (state: TenantState) => TenantEvent[]]>([
    ['activated', (state) => activateTenant(state, ref)],
    ['suspended', (state) => suspendTenant(state, ref, null)],
    ['changed', (state) => configureTenant(state, ref, { name: 'Saved' })],
    ['deleted past its contents', (state) => deleteTenant(state, ref)],
  ])('is not undone: the tenant cannot be %s', (_, decide) => {
    expect(() => decide(after(created, started))).toThrow(expect.objectContaining({ code: 'tenant-deleting' }));
    expect(() => decide(after(created, suspended, started))).toThrow(
      expect.objectContaining({ code: 'tenant-deleting' }),
    );
  });

  it('is refused where the tenant holds namespaces; nothing else is', () => {
    const change = { before: after(created), version: 2, recordedAt: 1, events: [] };
    const check = (state: TenantState, holdsNamespaces: boolean) => () =>
      tenantAggregate.check!({ holdsNamespaces }, { ...change, state }, ref);
    expect(check(after(created, deleted), true)).toThrow(expect.objectContaining({ code: 'tenant-not-empty' }));
    expect(check(after(created, deleted), false)).not.toThrow();
    expect(check(after(created, suspended), true)).not.toThrow();
  });

  it('keeps the id until it is finished', () => {
    expect(() => createTenant(after(created, started), ref, founding)).toThrow(
      expect.objectContaining({ code: 'tenant-exists' }),
    );
    expect(createTenant(after(created, started, deleted), ref, founding)).toEqual([created]);
  });

  it('is finished by its own job only, and once', () => {
    const state = after(created, started);
    expect(finishDeletion(state, 'del_1')).toEqual([deleted]);
    expect(finishDeletion(state, 'del_2')).toEqual([]);
    expect(finishDeletion(after(created, started, deleted), 'del_1')).toEqual([]);
    expect(finishDeletion(after(created, started, deleted, created), 'del_1')).toEqual([]);
  });

  it('of what is not there is refused', () => {
    expect(() => startDeletion(after(), ref, start)).toThrow(expect.objectContaining({ code: 'tenant-not-found' }));
  });
});

describe('the defaults of a tenant', () => {
  const apply = (state: TenantState, defaults: TenantChange['defaults']): TenantState =>
    configureTenant(state, ref, { defaults }).reduce<TenantState>(
      (before, event) => tenantAggregate.evolve(before, event, { recordedAt: 2 }),
      state,
    );
  const defaultsOf = (state: TenantState): unknown => (state.status === 'none' ? undefined : state.defaults);

  it('are merged: what a patch leaves out stays, null removes', () => {
    const first = apply(after(created), { retry: { strategy: 'fixed', initialDelayMs: 50 }, timeoutMs: 500 });
    const second = apply(first, { retry: { maxAttempts: 3 } });
    expect(defaultsOf(second)).toEqual({
      retry: { strategy: 'fixed', initialDelayMs: 50, maxAttempts: 3 },
      timeoutMs: 500,
    });
    expect(defaultsOf(apply(second, { timeoutMs: null }))).toMatchObject({
      retry: { maxAttempts: 3 },
      timeoutMs: null,
    });
    expect(defaultsOf(apply(second, { retry: null }))).toEqual({ retry: null, timeoutMs: 500 });
    expect(defaultsOf(apply(second, null))).toEqual(NO_DEFAULTS);
  });

  it('that are as they were change nothing', () => {
    const state = apply(after(created), { timeoutMs: 500 });
    expect(configureTenant(state, ref, { defaults: { timeoutMs: 500 } })).toEqual([]);
    expect(configureTenant(state, ref, { defaults: {} })).toEqual([]);
    expect(configureTenant(after(created), ref, { defaults: null })).toEqual([]);
  });
});

describe('the limits of a tenant', () => {
  const changed = (state: TenantState, change: TenantChange['limits']): TenantEvent[] =>
    configureTenant(state, ref, { limits: change });

  it('given at its creation are an event of their own, and none where nothing is limited', () => {
    const limits = { ...NO_LIMITS, topics: 3 };
    expect(createTenant(after(), ref, founding, { topics: 3 })).toEqual([
      created,
      { type: 'tenant.limited', data: { limits } },
    ]);
    expect(createTenant(after(), ref, founding, { topics: null })).toEqual([created]);
  });

  it('are merged, and those that are as they were change nothing', () => {
    const state = after(created, ...changed(after(created), { topics: 3 }));
    expect(changed(state, { topics: 3 })).toEqual([]);
    expect(changed(state, { consumers: 1 })).toEqual([
      { type: 'tenant.limited', data: { limits: { ...NO_LIMITS, topics: 3, consumers: 1 } } },
    ]);
  });

  it('come before those of the installation, above them, too, each kind on its own', () => {
    const limit = fc.option(fc.nat(), { nil: null });
    const limits = fc.record({
      namespaces: limit,
      topics: limit,
      consumers: limit,
      eventsPerSecond: limit,
      storageBytes: limit,
    });
    fc.assert(
      fc.property(limits, limits, (own, installation) => {
        for (const [name, value] of Object.entries(effectiveLimitsOf(own, installation))) {
          const kind = name as keyof TenantLimits;
          expect(value).toBe(own[kind] === null ? installation[kind] : own[kind]);
        }
      }),
    );
    expect(effectiveLimitsOf(NO_LIMITS, { ...NO_LIMITS, topics: 0 })).toEqual({ ...NO_LIMITS, topics: 0 });
  });
});

describe('the first owner of a tenant', () => {
  it('is the named user, or the founder where that one is gone', () => {
    expect(firstOwners(founding)).toEqual(['usr_2', 'usr_1']);
    expect(firstOwners({ ...founding, owner: 'usr_1' })).toEqual(['usr_1']);
    expect(firstOwners({ ...founding, owner: null, founder: null })).toEqual([]);
  });
});
