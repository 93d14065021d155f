import { namespaceAggregate, type NamespaceFacts, type NamespaceState } from './namespace.js';

const ref = { tenantId: 'acme', namespaceId: 'shop' };
const none: NamespaceState = { status: 'none' };
const active: NamespaceState = { status: 'active', namespaceUid: 'life-1', name: 'Shop', createdAt: 1 };
const ended = (forced: boolean): NamespaceState => ({ status: 'none', namespaceUid: 'life-1', forced });
const facts: NamespaceFacts = { tenant: 'active', room: { status: 'active', held: 0, max: null }, occupied: false };

const check = (before: NamespaceState, state: NamespaceState, changes: Partial<NamespaceFacts>) => () =>
  namespaceAggregate.check!({ ...facts, ...changes }, { before, state, version: 2, recordedAt: 1, events: [] }, ref);
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('a namespace', () => {
  const full = { status: 'active', held: 1, max: 1 } as const;

  it('begins where its tenant is open and has room', () => {
    expect(check(none, active, {})).not.toThrow();
    expect(check(none, active, { room: full })).toThrow(refused('tenant-limit-reached'));
    expect(check(none, active, { tenant: 'deleting' })).toThrow(refused('tenant-deleting'));
    expect(check(none, active, { tenant: undefined })).toThrow(refused('tenant-not-found'));
  });

  it('is changed where its tenant is open, and needs no room', () => {
    expect(check(active, active, { room: undefined })).not.toThrow();
    expect(check(active, active, { tenant: 'deleting' })).toThrow(refused('tenant-deleting'));
  });

  it('ends when it holds nothing, or by force', () => {
    expect(check(active, ended(false), {})).not.toThrow();
    expect(check(active, ended(false), { occupied: true })).toThrow(refused('namespace-not-empty'));
    expect(check(active, ended(true), { occupied: true })).not.toThrow();
  });

  it('ends also in a tenant that is being deleted', () => {
    expect(check(active, ended(true), { tenant: 'deleting' })).not.toThrow();
  });
});
