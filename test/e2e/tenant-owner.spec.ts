import { randomBytes } from 'node:crypto';
import { sharedApp, startProcess, type TestApp } from '../support/server/app.js';
import type { Answer, Problem } from '../support/api/client.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { createTestDatabase } from '../support/server/postgres.js';
import { newPerson } from '../support/api/strangers.js';
import { until, type Page, type ReadEvent } from '../support/api/workspace.js';

interface Member {
  readonly userId: string;
  readonly roles: readonly string[];
}

const app = await sharedApp();
let me: string;

beforeAll(async () => {
  me = (await app.client.get<{ id: string }>('/auth/me')).body.id;
});

const freshId = (): string => `o-${randomBytes(5).toString('hex')}`;
const membersOf = async (id: string, { client }: Pick<TestApp, 'client'> = app): Promise<string[][]> => {
  const { body } = await client.get<Page<Member>>(`/tenants/${id}/members`);
  return body.items.map(({ userId, roles }) => [userId, ...roles]);
};

describe('a tenant that is created for another user', () => {
  it('belongs to that user, not to the administrator who creates it and who reads no event of it', async () => {
    const [owner, id] = [await newPerson(app), freshId()];
    expect((await app.client.post('/tenants', { id, owner: owner.userId })).status).toBe(201);
    expect(await membersOf(id)).toEqual([[owner.userId, 'owner']]);
    const events = `/tenants/${id}/namespaces/shop/topics/orders/events`;
    expect((await owner.client.post(`/tenants/${id}/namespaces`, { id: 'shop' })).status).toBe(201);
    expect((await owner.client.post(`/tenants/${id}/namespaces/shop/topics`, { id: 'orders' })).status).toBe(201);
    expect((await owner.client.post(events, { type: 't', data: 1 })).status).toBe(201);
    for (const asked of [await app.client.get(events), await app.client.post(events, { type: 't', data: 2 })])
      expect([asked.status, asked.body.code]).toEqual([403, 'permission-denied']);
    expect((await owner.client.get<Page<ReadEvent>>(events)).body.items).toHaveLength(1);
  });

  it('names both in its event and in the audit: who created it, and for whom', async () => {
    const [owner, id] = [await newPerson(app), freshId()];
    await app.client.post('/tenants', { id, owner: owner.userId });
    const management = '/tenants/$system/namespaces/$management/topics/tenants/events';
    const { body } = await app.client.get<Page<ReadEvent>>(`${management}?order=desc&stream=${id}`);
    expect(body.items[0]).toMatchObject({ type: 'tenant.created', data: { founder: me, owner: owner.userId } });
    expect(JSON.stringify(body.items[0]!.publishedBy)).toContain('key_');
    const audit = await app.client.get<Page<object>>(`/tenants/${id}/audit`);
    expect(audit.body.items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: 'tenant.created', user: me }),
        expect.objectContaining({
          action: 'member.role-assigned',
          user: me,
          resource: `tenants/${id}/members/${owner.userId}`,
        }),
      ]),
    );
  });

  it('belongs to its creator if no one is named', async () => {
    const id = freshId();
    await app.client.post('/tenants', { id });
    expect(await membersOf(id)).toEqual([[me, 'owner']]);
  });

  it('cannot be taken over by the administrator afterwards: they give no role with rights they do not hold', async () => {
    const [owner, next, id] = [await newPerson(app), await newPerson(app), freshId()];
    await app.client.post('/tenants', { id, owner: owner.userId });
    for (const userId of [me, next.userId]) {
      const put = await app.client.request('PUT', `/tenants/${id}/members/${userId}`, { roles: ['owner'] });
      expect([put.status, put.body.code]).toEqual([403, 'exceeds-own-permissions']);
    }
    const put = await owner.client.request('PUT', `/tenants/${id}/members/${next.userId}`, { roles: ['owner'] });
    expect(put.status).toBe(200);
  });

  it('is created once with an Idempotency-Key', async () => {
    const [owner, id] = [await newPerson(app), freshId()];
    const body = { id, owner: owner.userId };
    const answers = [1, 2].map(() => app.client.post('/tenants', body, { 'idempotency-key': `owner-${id}` }));
    for (const { status } of await Promise.all(answers)) expect([201, 409]).toContain(status);
    expect(await membersOf(id)).toEqual([[owner.userId, 'owner']]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['no user has that id', () => Promise.resolve('usr_00000000000000000000000000')],
    ['it is not the id of a user', () => Promise.resolve('jane@acme.example')],
    ['it is the id of a key', async () => (await newPerson(app)).keyId],
    [
      'the user is suspended',
      async () => {
        const { userId } = await newPerson(app);
        await app.client.post(`/users/${userId}/suspend`, {});
        return userId;
      },
    ],
    [
      'the user is deleted',
      async () => {
        const { userId } = await newPerson(app);
        await app.client.delete(`/users/${userId}`);
        return userId;
      },
    ],
    ['it is empty', () => Promise.resolve('')],
    ['it is null', () => Promise.resolve(null)],
    ['it is a number', () => Promise.resolve(7)],
    ['it is too long', () => Promise.resolve('u'.repeat(65))],
  ])('is refused and not created if %s', async (_, owner) => {
    const id = freshId();
    const answer: Answer<Problem> = await app.client.post('/tenants', { id, owner: await owner() });
    expect([answer.status, [...new Set(answer.body.errors?.map(({ pointer }) => pointer))]]).toEqual([400, ['/owner']]);
    expect((await app.client.get(`/tenants/${id}`)).status).toBe(404);
  });
});

it('a tenant without its named owner after a crash gets exactly that owner after the next start', async () => {
  const store = await createTestDatabase();
  const first = await startProcess({ connection: store.connection });
  const [owner, id] = [await newPerson(first), freshId()];
  const obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM user_account WHERE user_id = $1', [
    owner.userId,
  ]);
  const asked = first.client.post('/tenants', { id, owner: owner.userId }).catch(() => undefined);
  await until(() => obstacle.isWaitedFor(), Boolean);
  await first.kill();
  await asked;
  await obstacle.remove();
  const second = await startProcess({ connection: store.connection, apiKey: first.apiKey });
  const members = await until(
    () => membersOf(id, second),
    ({ length }) => length > 0,
  );
  expect(members).toEqual([[owner.userId, 'owner']]);
  await second.stop();
  await store.drop();
});
