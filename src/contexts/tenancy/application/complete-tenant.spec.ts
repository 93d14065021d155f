import { tenancyError } from '../domain/tenancy-errors.js';
import { tenantDeleting, tenantNotFound } from '../domain/tenant.js';
import { CompleteTenant, CompleteTenantHandler } from './complete-tenant.js';
import { TenantLifecycle } from './tenant-lifecycle.js';

const LIFE = { tenantId: 'acme', tenantUid: 'life-1' };

/** The outcome where the first owner cannot be added for this reason. */
async function completionAfter(reason: Error): Promise<unknown> {
  const lifecycle = new TenantLifecycle();
  lifecycle.register({
    requireOwner: () => Promise.resolve(),
    began: () => Promise.reject(reason),
    ended: () => Promise.resolve(),
    namespaceEnded: () => Promise.resolve(),
  });
  const handler = new CompleteTenantHandler(lifecycle, { now: () => 1_000_000 });
  return handler.execute(new CompleteTenant(LIFE, ['usr_1'], 0, 'c', new AbortController().signal)).then(
    () => 'done',
    (error: unknown) => error,
  );
}

describe('completing the creation of a tenant', () => {
  it.each([
    ['is gone', tenantNotFound('acme')],
    ['is being deleted', tenantDeleting('acme')],
  ])('is given up where the tenant %s, so that it delays no other', async (_, reason) => {
    expect(await completionAfter(reason)).toBe('done');
  });

  it('is tried again after every other failure', async () => {
    const failure = tenancyError('id-invalid', 'Something else.');
    expect(await completionAfter(failure)).toBe(failure);
  });
});
