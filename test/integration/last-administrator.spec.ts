import '@nestjs/common';
import type { Client } from 'pg';
import { SYSTEM_TENANT } from '../../src/kernel/ids.js';
import type { PostgresMembers } from '../../src/contexts/authz/adapters/postgres-members.js';
import type { RoleCatalog } from '../../src/contexts/authz/application/ports.js';
import { memberAggregate, type MemberState } from '../../src/contexts/authz/domain/member.js';
import type { TenantCatalog } from '../../src/contexts/tenancy/index.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

// After Nest, which it needs loaded first.
const adapter = await import('../../src/contexts/authz/adapters/postgres-members.js');

const ref = (userId: string) => ({ tenantId: SYSTEM_TENANT, tenantUid: 'life-1', userId });
const REMOVED: MemberState = { status: 'none', reason: 'requested' };

describe('of two administrators of the system', () => {
  let store: TestDatabase;
  let members: PostgresMembers;
  let suspension: Client;

  beforeEach(async () => {
    store = await createTestDatabase();
    members = new adapter.PostgresMembers(store.database, {} as TenantCatalog, {} as RoleCatalog);
    suspension = await connect(store.connection);
    for (const userId of ['usr_1', 'usr_2']) {
      const account = `INSERT INTO user_account (user_id, kind, name, state, password_signature, version, created_at, updated_at)
        VALUES ($1, 'human', $1, 'active', '', 1, 1, 1)`;
      await suspension.query(account, [userId]);
      const role = `INSERT INTO member_role (tenant_id, user_id, role_id, scope) VALUES ($1, $2, 'system-admin', '')`;
      await suspension.query(role, [SYSTEM_TENANT, userId]);
    }
  });
  afterEach(async () => {
    await suspension.end();
    await store.drop();
  });

  /** As in the transaction of the change, before it is written. */
  const remove = (userId: string): Promise<void> =>
    store.database.transaction(async (sql) => {
      const changed = { before: REMOVED, state: REMOVED, version: 1, recordedAt: 1, events: [] };
      memberAggregate.check!(await members.ask(sql, ref(userId), changed), changed, ref(userId));
    });

  const somebodyWaits = async (): Promise<void> => {
    for (;;) {
      // Within a transaction it would keep showing the sessions of the first look.
      await suspension.query('SELECT pg_stat_clear_snapshot()');
      const { rows } = await suspension.query<{ waits: boolean }>(
        'SELECT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE pg_backend_pid() = ANY (pg_blocking_pids(a.pid))) AS waits',
      );
      if (rows[0]!.waits) return;
    }
  };

  it('an active one stays when one is suspended while the other is removed', async () => {
    await suspension.query('BEGIN');
    expect(await members.topRolesHeldBy(suspension, 'usr_1')).toEqual([
      { tenantId: SYSTEM_TENANT, othersActive: true },
    ]);
    await suspension.query(`UPDATE user_account SET state = 'suspended' WHERE user_id = 'usr_1'`);
    const removal = remove('usr_2').then(
      () => 'removed',
      (error: { code: string }) => error.code,
    );
    await Promise.race([somebodyWaits(), removal]);
    await suspension.query('COMMIT');
    expect(await removal).toBe('last-holder');
  });

  it('one may be removed while both are active', async () => {
    await expect(remove('usr_2')).resolves.toBeUndefined();
  });
});
