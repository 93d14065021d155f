import type { Client as Sql } from 'pg';
import { startApp, startProcess, type TestApp } from '../support/server/app.js';
import type { Problem } from '../support/api/client.js';
import { connect } from '../support/server/postgres.js';
import { until, Workspace } from '../support/api/workspace.js';

interface Verdict {
  readonly valid: boolean;
  readonly records: number;
  readonly reason: string | null;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly kept?: { readonly seq: number; readonly holds: boolean | null };
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

const verify = async (tenant: string, query = ''): Promise<Verdict> =>
  (await app.client.get<Verdict>(`/tenants/${tenant}/audit/verify${query}`)).body;
/** A tenant with 8 records: an attacker with the database keeps the chain, waits for three more records, and cuts them off. */
async function cutBack(): Promise<{ shop: Workspace; head: Verdict['head'] }> {
  const shop = await Workspace.create(app.client, ['a', 'b', 'c', 'd']);
  const { head } = await verify(shop.tenant);
  const { rows } = await sql.query<Record<string, unknown>>('SELECT * FROM audit_chain WHERE tenant_id = $1', [
    shop.tenant,
  ]);
  for (const topic of ['x', 'y', 'z']) await shop.createTopic(topic);
  expect(await verify(shop.tenant)).toMatchObject({ valid: true, records: head.seq + 3 });
  await sql.query('DELETE FROM audit_record WHERE tenant_id = $1 AND seq > $2', [shop.tenant, head.seq]);
  const { sealed_seq, head_hash, sealed_at, base_seq, base_hash, signature } = rows[0]!;
  await sql.query(
    `UPDATE audit_chain SET (sealed_seq, head_hash, sealed_at, base_seq, base_hash, signature) = ($2, $3, $4, $5, $6, $7)
     WHERE tenant_id = $1`,
    [shop.tenant, sealed_seq, head_hash, sealed_at, base_seq, base_hash, signature],
  );
  return { shop, head };
}

it('a cut-off end with the earlier row of the chain restored is detected, also under new records', async () => {
  const { shop, head } = await cutBack();
  expect(head.seq).toBe(8);
  const seen = { valid: false, reason: 'chain-rewritten', records: 8 };
  expect(await verify(shop.tenant)).toMatchObject(seen);
  await shop.createTopic('later');
  expect(await verify(shop.tenant)).toMatchObject({ ...seen, pending: 1 });
  const all = (await app.client.get<{ broken: readonly object[] }>('/audit/verify')).body;
  expect(all.broken).toEqual([{ tenant: shop.tenant, reason: 'chain-rewritten', firstBrokenSeq: null }]);
});

it('a retention that was written into the database removes nothing', async () => {
  const { tenant } = await Workspace.create(app.client, ['a', 'b', 'c']);
  const { records } = await verify(tenant);
  await sql.query(
    `INSERT INTO audit_retention (tenant_id, max_age_days, version, updated_at, signature) VALUES ($1, 0, 1, 0, '')`,
    [tenant],
  );
  // The sweep runs at the start.
  const second = await startProcess({ connection: app.connection, apiKey: app.apiKey, env: { LOG_LEVEL: 'error' } });
  await until(
    () => Promise.resolve(second.output()),
    (output) => output.includes('a retention of the audit was tampered with'),
  );
  await second.kill();
  expect(await verify(tenant)).toMatchObject({ valid: false, reason: 'retention-rewritten', records });
  const put = await app.client.request('PUT', `/tenants/${tenant}/audit/retention`, { maxAge: 'P90D' });
  expect(put.body).toEqual({ maxAge: 'P90D', version: 2 });
  expect(await verify(tenant)).toMatchObject({ valid: true, records: records + 1 });
});

describe('a head that was kept elsewhere', () => {
  it('is confirmed if the chain continues from it, for a tenant and for the system', async () => {
    const shop = await Workspace.create(app.client, []);
    const { head } = await verify(shop.tenant);
    await shop.createTopic('more');
    const query = `?seq=${head.seq}&hash=${head.hash}`;
    expect(await verify(shop.tenant, query)).toMatchObject({ valid: true, kept: { seq: head.seq, holds: true } });
    const other = await verify(shop.tenant, `?seq=${head.seq + 1}&hash=${head.hash}`);
    expect(other).toMatchObject({ valid: false, reason: 'chain-rewritten', kept: { holds: false } });
    expect((await verify(shop.tenant)).kept).toBeUndefined();

    const system = (await app.client.get<Verdict>('/audit/verify')).body.head;
    const path = `/audit/verify?seq=${system.seq}&hash=`;
    expect((await app.client.get<Verdict>(path + system.hash)).body.kept).toEqual({ seq: system.seq, holds: true });
    expect((await app.client.get<Verdict>(path + head.hash)).body.kept).toEqual({ seq: system.seq, holds: false });
  });

  it('is not confirmed if the chain was cut before it', async () => {
    const { shop } = await cutBack();
    const kept = { seq: 11, holds: false };
    expect(await verify(shop.tenant, `?seq=11&hash=${'0'.repeat(64)}`)).toMatchObject({ valid: false, kept });
  });

  const HASH = 'a'.repeat(64);
  it.each([
    [`?seq=0&hash=${HASH}`, '?seq'],
    [`?seq=-1&hash=${HASH}`, '?seq'],
    [`?seq=1.5&hash=${HASH}`, '?seq'],
    [`?seq=x&hash=${HASH}`, '?seq'],
    [`?seq=9007199254740993&hash=${HASH}`, '?seq'],
    [`?hash=${HASH}`, '?seq'],
    ['?seq=1', '?hash'],
    ['?seq=1&hash=', '?hash'],
    [`?seq=1&hash=${HASH}0`, '?hash'],
    [`?seq=1&hash=${HASH.toUpperCase()}`, '?hash'],
    [`?seq=1&hash=${HASH}&who=me`, '?who'],
  ])('is refused if it is invalid: %s', async (query, pointer) => {
    const { tenant } = await Workspace.create(app.client, []);
    for (const path of [`/tenants/${tenant}/audit/verify`, '/audit/verify']) {
      const { body } = await app.client.get<Problem>(path + query);
      expect(body).toMatchObject({ status: 400, code: 'invalid-request', errors: [{ pointer }] });
    }
  });
});
