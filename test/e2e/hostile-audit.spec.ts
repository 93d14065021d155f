import type { Client as Sql } from 'pg';
import { startApp, startProcess, type TestApp } from '../support/server/app.js';
import { bearer, type Tokens } from '../support/api/people.js';
import { connect, createTestDatabase } from '../support/server/postgres.js';
import { until, Workspace } from '../support/api/workspace.js';

const DAY_MS = 86_400_000;
const TOPICS = ['a', 'b', 'c', 'd', 'e'];
/** Tenant, owner, their role, namespace, and the topics. */
const RECORDS = 4 + TOPICS.length;
const FIELDS = `occurred_at, action, outcome, reason, actor_kind, actor_id, user_id, address, user_agent, route, resource,
  correlation_id, times, state_before, state_after, mac`;

interface Verdict {
  readonly valid: boolean;
  readonly records: number;
  readonly firstBrokenSeq: number | null;
  readonly reason: string | null;
  readonly head: { readonly seq: number };
}

let app: TestApp;
let sql: Sql;

beforeAll(async () => {
  app = await startApp();
  sql = await connect(app.connection);
});
afterAll(async () => {
  await sql?.end();
  await app?.stop();
});

const verdict = async (tenant: string, from: Pick<TestApp, 'client'> = app): Promise<Verdict> =>
  (await from.client.get<Verdict>(`/tenants/${tenant}/audit/verify`)).body;

describe('the audit of a tenant whose rows are tampered with', () => {
  const copied = (seq: string, from: number): string =>
    `INSERT INTO audit_record (tenant_id, audit_id, seq, hash, ${FIELDS})
     SELECT tenant_id, 'aud_planted', ${seq}, hash, ${FIELDS} FROM audit_record WHERE tenant_id = $1 AND seq = ${from}`;
  const edited = (change: string, seq: number): string =>
    `UPDATE audit_record SET ${change} WHERE tenant_id = $1 AND seq = ${seq}`;

  it.each<[string, string[], string, number | null]>([
    ['the actor is edited', [edited(`actor_id = 'usr_other'`, 4)], 'record-changed', 4],
    ['the time is edited', [edited('occurred_at = occurred_at + 1', 2)], 'record-changed', 2],
    ['the outcome is edited', [edited(`outcome = 'denied'`, 7)], 'record-changed', 7],
    ['the state before is edited', [edited(`state_before = '{}'`, 6)], 'record-changed', 6],
    ['one is deleted', ['DELETE FROM audit_record WHERE tenant_id = $1 AND seq = 5'], 'record-missing', 5],
    ['the first is deleted', ['DELETE FROM audit_record WHERE tenant_id = $1 AND seq = 1'], 'record-missing', 1],
    [
      'the last is deleted',
      [`DELETE FROM audit_record WHERE tenant_id = $1 AND seq = ${RECORDS}`],
      'record-missing',
      RECORDS,
    ],
    ['two are swapped', [edited('seq = 99', 3), edited('seq = 3', 6), edited('seq = 6', 99)], 'record-changed', 3],
    [
      'one is put between others',
      [
        'UPDATE audit_record SET seq = -seq WHERE tenant_id = $1 AND seq >= 5',
        'UPDATE audit_record SET seq = 1 - seq WHERE tenant_id = $1 AND seq < 0',
        copied('5', 2),
      ],
      'record-changed',
      5,
    ],
    ['one is added after the last', [copied(String(RECORDS + 1), 2)], 'record-added', RECORDS + 1],
    ['one is added as unsealed', [copied('NULL', 2)], 'record-changed', RECORDS + 1],
  ])('names the first record where the chain breaks: %s', async (_, statements, reason, firstBrokenSeq) => {
    const { tenant } = await Workspace.create(app.client, TOPICS);
    expect(await verdict(tenant)).toMatchObject({ valid: true, records: RECORDS, head: { seq: RECORDS } });
    for (const statement of statements) await sql.query(statement, [tenant]);
    const broken = { valid: false, reason, firstBrokenSeq };
    expect(await verdict(tenant)).toMatchObject(broken);
    const all = (await app.client.get<{ broken: readonly object[] }>('/audit/verify')).body;
    expect(all.broken).toContainEqual({ tenant, reason, firstBrokenSeq });
    // Later records do not repair it, and other tenants are not affected.
    await app.client.post(`/tenants/${tenant}/namespaces/shop/topics`, { id: 'later' });
    expect(await verdict(tenant)).toMatchObject(broken);
    expect(await verdict((await Workspace.create(app.client)).tenant)).toMatchObject({ valid: true });
  });
});

describe('an export of the audit as CSV', () => {
  const formulas = [
    '=cmd()',
    '+1+1',
    '-1+1',
    '@SUM(A1)',
    '=HYPERLINK("http://x","y")',
    '=1,2',
    '\t=1',
    '=1;2',
    "='x'!A1",
  ];

  it('contains no cell that a spreadsheet would run, from any input', async () => {
    const { tenant } = await Workspace.create(app.client, []);
    for (const formula of formulas)
      await app.client.patch(
        `/tenants/${tenant}`,
        { name: formula.trim() },
        { 'user-agent': formula.trim(), 'x-correlation-id': formula.trim() },
      );
    const { text } = await app.client.post(`/tenants/${tenant}/audit/export`, { format: 'csv' });
    const cells = text.split('\r\n').flatMap((line) => cellsOf(line));
    const planted = cells.filter((cell) => formulas.some((formula) => cell.includes(formula.trim())));
    expect(planted.length).toBeGreaterThan(formulas.length);
    expect(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
  });
});

/** RFC 4180. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
  );
}

describe('the audit whose old records are removed', () => {
  it('stays valid, continues its numbers, and still shows tampering', async () => {
    const store = await createTestDatabase();
    const { connection } = store;
    const then = await startProcess({ connection, surroundings: { clockShiftMs: -40 * DAY_MS } });
    const old = await Workspace.create(then.client, TOPICS);
    const retention = `/tenants/${old.tenant}/audit/retention`;
    expect((await then.client.request('PUT', retention, { maxAge: 'P30D' })).status).toBe(200);
    expect(await verdict(old.tenant, then)).toMatchObject({ valid: true, records: RECORDS + 1 });
    await then.stop();

    const server = await startProcess({ connection, apiKey: then.apiKey });
    // The first key has expired meanwhile.
    const account = { email: server.adminEmail, password: server.adminPassword };
    const session = await server.client.with({}).post<Tokens>('/auth/login', account);
    const now = { client: server.client.with(bearer(session.body.accessToken)) };
    const left = await until(
      () => verdict(old.tenant, now),
      ({ records }) => records === 1, // the record of the trimming
    );
    expect(left).toMatchObject({ valid: true, head: { seq: RECORDS + 2 } });
    const young = old.through(now.client);
    await young.createTopic('young');
    await young.createTopic('younger');
    expect(await verdict(old.tenant, now)).toMatchObject({ valid: true, records: 3, head: { seq: RECORDS + 4 } });
    const own = await connect(connection);
    await own.query(`UPDATE audit_record SET reason = 'x' WHERE tenant_id = $1 AND seq = ${RECORDS + 3}`, [old.tenant]);
    await own.end();
    expect(await verdict(old.tenant, now)).toMatchObject({ valid: false, firstBrokenSeq: RECORDS + 3 });
    await server.stop();
    await store.drop();
  });
});
