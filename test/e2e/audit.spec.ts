import { startApp, type TestApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { connect } from '../support/server/postgres.js';
import { Workspace, type Page } from '../support/api/workspace.js';

interface Item {
  readonly id: string;
  readonly seq: number | null;
  readonly tenant: string;
  readonly time: string;
  readonly action: string;
  readonly outcome: string;
  readonly actor: string;
  readonly actorKind: string;
  readonly user: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly route: string | null;
  readonly resource: string;
  readonly correlationId: string;
  readonly before: unknown;
  readonly after: unknown;
}
interface Verdict {
  readonly valid: boolean;
  readonly records: number;
  readonly pending: number;
  readonly firstBrokenSeq: number | null;
  readonly reason: string | null;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly broken: readonly { readonly tenant: string }[];
}

let app: TestApp;
let client: Client;
let acme: Workspace;
beforeAll(async () => {
  app = await startApp();
  client = app.client;
  acme = await Workspace.create(client, ['orders', 'orders-2', 'returns']);
});
afterAll(() => app?.stop());

const list = async (path: string): Promise<readonly Item[]> => {
  const answer = await client.get<Page<Item>>(path);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`);
  return answer.body.items;
};
const actions = async (query: string): Promise<string[]> =>
  (await list(`/tenants/${acme.tenant}/audit${query}`)).map(({ action }) => action);
const me = async (): Promise<{ id: string }> => (await client.get<{ id: string }>('/auth/me')).body;

describe('the audit of a tenant', () => {
  it('shows who did what, from where, in which request, with the resource before and after', async () => {
    const { id: user } = await me();
    const headers = { 'x-correlation-id': 'audit-1', 'user-agent': 'audit-test' };
    await client.patch(`${acme.base}/topics/orders`, { description: 'Orders' }, headers);
    const [item] = await list(`/tenants/${acme.tenant}/audit?correlationId=audit-1`);
    expect(item).toMatchObject({
      tenant: acme.tenant,
      action: 'topic.described',
      outcome: 'success',
      actor: expect.stringMatching(/^key_/),
      actorKind: 'api-key',
      user,
      address: '127.0.0.1',
      userAgent: 'audit-test',
      route: 'PATCH /tenants/:tenantId/namespaces/:namespaceId/topics/:topicId',
      resource: `tenants/${acme.tenant}/namespaces/shop/topics/orders`,
      before: { description: null },
      after: { description: 'Orders' },
    });
  });

  it('is filtered by actor, user, action, resource, outcome, address and time, the newest first', async () => {
    const all = ['topic.described', 'topic.created', 'topic.created', 'topic.created', 'namespace.created'];
    expect(await actions('')).toEqual([...all, 'member.role-assigned', 'member.added', 'tenant.created']);
    expect(await actions('?action=topic.created')).toEqual(all.slice(1, 4));
    expect(await actions('?action=topic.*')).toEqual(all.slice(0, 4));
    expect(await actions('?action=topic')).toEqual([]);
    expect(await actions(`?resource=tenants/${acme.tenant}/namespaces/shop/topics/orders`)).toHaveLength(3);
    expect(await actions(`?resource=tenants/${acme.tenant}/namespaces/shop/topics/returns`)).toHaveLength(1);
    expect(await actions('?resource=tenants/%25')).toEqual([]);
    expect(await actions('?outcome=denied')).toEqual([]);
    expect(await actions('?outcome=success&address=127.0.0.1')).toHaveLength(8);
    expect(await actions('?address=10.0.0.1')).toEqual([]);
    const [{ actor, time }] = (await list(`/tenants/${acme.tenant}/audit`)) as [Item];
    expect(await actions(`?actor=${actor}&action=namespace.*`)).toEqual(['namespace.created']);
    expect(await actions('?actor=usr_nobody')).toEqual([]);
    expect(await actions(`?from=${time}`)).toContain('topic.described');
    expect(await actions(`?to=${time}&action=topic.described`)).toEqual([]);
    expect(await actions('?from=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await actions('?to=2000-01-01T00:00:00Z')).toEqual([]);
  });

  it('is read in pages; a cursor is valid for its own list only', async () => {
    const path = `/tenants/${acme.tenant}/audit?limit=4`;
    const first = (await client.get<Page<Item>>(path)).body;
    const cursor = encodeURIComponent(first.nextCursor!);
    const second = (await client.get<Page<Item>>(`${path}&cursor=${cursor}`)).body;
    expect([...first.items, ...second.items]).toEqual(await list(`/tenants/${acme.tenant}/audit`));
    expect(second.nextCursor).toBeNull();
    for (const other of [`/audit?cursor=${cursor}`, `/tenants/${acme.tenant}/audit?outcome=success&cursor=${cursor}`])
      expect((await client.get(other)).body).toMatchObject({ status: 400, code: 'cursor-invalid' });
  });

  it.each([
    ['?from=yesterday', '?from'],
    ['?action=a%20b', '?action'],
    ['?outcome=maybe', '?outcome'],
    ['?limit=0', '?limit'],
    ['?who=me', '?who'],
  ])('refuses %s', async (query, pointer) => {
    const { body } = await client.get(`/tenants/${acme.tenant}/audit${query}`);
    expect(body).toMatchObject({ status: 400, code: 'invalid-request', errors: [{ pointer }] });
  });

  it('shows what a user did, also with their keys', async () => {
    const { id } = await me();
    expect(await list(`/tenants/${acme.tenant}/audit/users/${id}`)).toHaveLength(8);
    expect(await list(`/tenants/${acme.tenant}/audit/users/${id}?action=tenant.*`)).toHaveLength(1);
    expect(await list(`/tenants/${acme.tenant}/audit/users/usr_nobody`)).toEqual([]);
    expect((await list(`/audit/users/${id}`)).length).toBeGreaterThanOrEqual(6);
  });

  it('shows nothing of another tenant, nor of an earlier one with the same id', async () => {
    const other = await Workspace.create(client, []);
    expect((await list(`/tenants/${other.tenant}/audit`)).every(({ tenant }) => tenant === other.tenant)).toBe(true);
    expect(await actions(`?resource=tenants/${other.tenant}`)).toEqual([]);
    expect(new Set((await list('/audit')).map(({ tenant }) => tenant))).toEqual(
      new Set(['$system', acme.tenant, other.tenant]),
    );

    await client.delete(`/tenants/${other.tenant}?force=true`);
    for (const path of ['', '/verify', '/retention', '/users/usr_1'])
      expect((await client.get(`/tenants/${other.tenant}/audit${path}`)).body).toMatchObject({
        code: 'tenant-not-found',
      });
    await client.post('/tenants', { id: other.tenant, name: 'Somebody else' });
    expect((await list(`/tenants/${other.tenant}/audit`)).map(({ action }) => action)).toEqual([
      'member.role-assigned',
      'member.added',
      'tenant.created',
    ]);
    const exported = await client.post(`/tenants/${other.tenant}/audit/export`, { format: 'ndjson' });
    expect(exported.text.split('\n')).toHaveLength(4);
    expect((await list('/audit?action=tenant.deleted')).map(({ tenant }) => tenant)).toEqual([other.tenant]);
  });
});

describe('an export of the audit', () => {
  it('contains all records, the oldest first, and is recorded itself', async () => {
    const before = await list(`/tenants/${acme.tenant}/audit`);
    const answer = await client.post(`/tenants/${acme.tenant}/audit/export`, { format: 'ndjson' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="audit.ndjson"');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Item).id)).toEqual(before.map(({ id }) => id).toReversed());
    const [own] = await list(`/tenants/${acme.tenant}/audit`);
    expect(own).toMatchObject({
      action: 'audit.exported',
      resource: `tenants/${acme.tenant}/audit`,
      actor: before[0]!.actor,
      after: { format: 'ndjson', filter: {} },
    });
  });

  it('is CSV that no spreadsheet reads as formulas, with the filters of the list', async () => {
    await client.patch(`${acme.base}/topics/returns`, { description: 'x' }, { 'user-agent': '=cmd()' });
    const filter = { action: 'topic.*', resource: `tenants/${acme.tenant}/namespaces/shop/topics/returns` };
    const answer = await client.post(`/tenants/${acme.tenant}/audit/export`, { format: 'csv', ...filter });
    expect(answer.headers.get('content-type')).toContain('text/csv');
    const lines = answer.text.split('\r\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^id,seq,tenant,/);
    expect(lines[2]).toContain(",'=cmd(),");
  });

  it('of all tenants is recorded in the system', async () => {
    const answer = await client.post('/audit/export', { format: 'ndjson', action: 'tenant.created' });
    expect(answer.text).toContain(acme.tenant);
    expect((await list('/audit?action=audit.exported&resource=audit'))[0]).toMatchObject({ tenant: '$system' });
  });

  it.each([
    {},
    { format: 'xml' },
    { format: 'csv', who: 'me' },
    { format: 'csv', from: 'x' },
    { format: 'csv', actor: 'a\0b' },
  ])('refuses %j', async (body) => {
    const size = (await list('/audit?action=audit.exported')).length;
    expect((await client.post('/audit/export', body)).body).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(await list('/audit?action=audit.exported')).toHaveLength(size);
  });
});

describe('the retention of the audit', () => {
  it('is 400 days until it is changed; the change is recorded', async () => {
    for (const [path, tenant] of [
      [`/tenants/${acme.tenant}/audit`, acme.tenant],
      ['/audit', '$system'],
    ] as const) {
      const retention = `${path}/retention`;
      expect((await client.get(retention)).body).toEqual({ maxAge: 'P400D', version: 0 });
      const changed = await client.request('PUT', retention, { maxAge: 'P30D' }, { 'if-match': '"0"' });
      expect(changed.body).toEqual({ maxAge: 'P30D', version: 1 });
      expect(changed.headers.get('etag')).toBe('"1"');
      const stale = await client.request('PUT', retention, { maxAge: 'P31D' }, { 'if-match': '"0"' });
      expect(stale.body).toMatchObject({ status: 412, code: 'version-mismatch' });
      expect((await client.request('PUT', retention, { maxAge: 'P30D' })).body).toMatchObject({ version: 1 });
      const changes = await list(`/audit?action=audit.retention-changed&resource=${path.slice(1)}`);
      expect(changes).toEqual([
        expect.objectContaining({ tenant, before: { maxAge: 'P400D' }, after: { maxAge: 'P30D' } }),
      ]);
    }
  });

  it.each(['P29D', 'P1Y', 'forever'])('cannot be %s', async (maxAge) => {
    const answer = await client.request('PUT', `/tenants/${acme.tenant}/audit/retention`, { maxAge });
    expect(answer.body).toMatchObject({ status: 400, code: 'audit-retention-invalid' });
  });
});

describe('the chain of the audit', () => {
  it('is valid, for a tenant and for all, until a record is edited', async () => {
    const tenant = await Workspace.create(client, ['orders']);
    const verify = `/tenants/${tenant.tenant}/audit/verify`;
    const sound = (await client.get<Verdict>(verify)).body;
    expect(sound).toMatchObject({ valid: true, records: 5, pending: 0, firstBrokenSeq: null, reason: null });
    expect((await list(`/tenants/${tenant.tenant}/audit`)).map(({ seq }) => seq)).toEqual([5, 4, 3, 2, 1]);
    expect(sound.head).toMatchObject({ seq: 5, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await client.get<Verdict>('/audit/verify')).body).toMatchObject({ valid: true, broken: [] });

    const sql = await connect(app.connection);
    await sql.query(`UPDATE audit_record SET actor_id = 'usr_other' WHERE tenant_id = $1 AND seq = 2`, [tenant.tenant]);
    await sql.end();
    const broken = { valid: false, firstBrokenSeq: 2, reason: 'record-changed' };
    expect((await client.get<Verdict>(verify)).body).toMatchObject(broken);
    expect((await client.get<Verdict>('/audit/verify')).body).toMatchObject({
      ...broken,
      broken: [{ tenant: tenant.tenant, firstBrokenSeq: 2, reason: 'record-changed' }],
    });
    expect((await client.get<Verdict>(`/tenants/${acme.tenant}/audit/verify`)).body).toMatchObject({ valid: true });
  });
});

it('no secret is in any record', async () => {
  const secret = 'Zv9-planted-header-value';
  const consumer = { url: 'http://127.0.0.1:9999/hook', topics: [{ topic: 'orders' }], headers: { 'x-token': secret } };
  const made = await client.post<{ secret: string }>(`${acme.base}/consumers`, consumer);
  expect(made.status).toBe(201);
  const exported = await client.post('/audit/export', { format: 'ndjson' });
  expect(exported.text).toContain('consumer.registered');
  for (const planted of [secret, made.body.secret, app.apiKey, app.adminPassword])
    expect(exported.text).not.toContain(planted);
});
