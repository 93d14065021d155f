import type { StoredEvent } from '../../../platform/event-log/index.js';
import { tenancyError } from '../domain/tenancy-errors.js';
import { tenantDeleting, tenantNotFound } from '../domain/tenant.js';
import { OnTenantCreated, TenantLives } from './tenant-lives.js';

const created = {
  id: 'evt_1',
  type: 'tenant.created',
  stream: 'acme',
  recordedAt: 0,
  schemaVersion: 3,
  correlationId: null,
  data: JSON.stringify({ name: 'Acme', tenantUid: 'life-1', founder: 'usr_1' }),
} as unknown as StoredEvent;

/** What comes of the reaction where the first owner cannot be put in for this reason. */
async function reactionTo(reason: Error): Promise<unknown> {
  const lives = new TenantLives();
  lives.register({
    requireOwner: () => Promise.resolve(),
    began: () => Promise.reject(reason),
    ended: () => Promise.resolve(),
    namespaceEnded: () => Promise.resolve(),
  });
  const reaction = new OnTenantCreated(lives, { now: () => 1_000_000 });
  return reaction.handle(created, new AbortController().signal).then(
    () => 'done',
    (error: unknown) => error,
  );
}

describe('making good the beginning of a tenant', () => {
  it.each([
    ['is gone', tenantNotFound('acme')],
    ['is being deleted', tenantDeleting('acme')],
  ])('is given up where the tenant %s, so that it holds up no other', async (_, reason) => {
    expect(await reactionTo(reason)).toBe('done');
  });

  it('is tried again after every other failure', async () => {
    const failure = tenancyError('id-invalid', 'Something else.');
    expect(await reactionTo(failure)).toBe(failure);
  });
});
