import { startProcess, type AppOptions, type TestProcess } from '../support/server/app.js';
import { EventStream } from '../support/api/event-stream.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { WebhookReceiver, type Received } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer } from '../support/api/workspace.js';

let store: TestDatabase;
let first: TestProcess;
let second: TestProcess;
let here: Workspace;
let there: Workspace;
const receivers: WebhookReceiver[] = [];
const running: TestProcess[] = [];

afterEach(() => Promise.all(receivers.splice(0).map((one) => one.stop())));

async function launchBoth(ofFirst: AppOptions = {}): Promise<void> {
  store = await createTestDatabase();
  first = await startProcess({ connection: store.connection, ...ofFirst });
  running.push(first);
  second = await startProcess({ connection: store.connection, apiKey: first.apiKey });
  running.push(second);
}

async function shareWorkspace(): Promise<void> {
  here = await Workspace.create(first.client);
  there = here.through(second.client);
}

async function endBoth(): Promise<void> {
  await Promise.all(running.splice(0).map((one) => one.kill()));
  await store.drop();
}

async function receive(): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.start();
  receivers.push(receiver);
  return receiver;
}

const ids = (requests: readonly Received[]) => requests.map(({ headers }) => headers['x-event-id']);
const positions = (requests: readonly Received[]) => requests.map(({ headers }) => Number(headers['x-event-position']));
const dense = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('two instances on one database', () => {
  beforeAll(() => launchBoth());
  beforeEach(shareWorkspace);
  afterEach(() => first.client.post(`/tenants/${here.tenant}/suspend`, {}));
  afterAll(endBoth);

  it('assign dense positions to what both publish, and show the same log', async () => {
    const answers = await Promise.all(
      dense(300).map((n) => (n % 2 ? here : there).publish({ id: `e${n}`, type: 't', data: n })),
    );
    expect(answers.map(({ firstPosition }) => firstPosition).toSorted((a, b) => a - b)).toEqual(dense(300));
    const log = await here.readAll();
    expect(log.map(({ position }) => position)).toEqual(dense(300));
    expect(await there.readAll()).toEqual(log);
  });

  it('store an id once, whichever gets the request', async () => {
    const answers = await Promise.all(
      dense(20).map((n) => (n % 2 ? here : there).publish({ id: 'race', type: 't', data: 1 })),
    );
    expect(answers.filter(({ events }) => !events[0]!.duplicate)).toHaveLength(1);
  });

  it('deliver each event once, in order, while both run', async () => {
    const receiver = await receive();
    const { id } = await here.register(receiver.url);
    await Promise.all(dense(200).map((n) => (n % 2 ? here : there).publish({ type: 't', data: n })));
    await receiver.received(200);
    await until(
      () => there.topicStatus(id),
      ({ lag }) => lag.events === 0,
    );
    expect(positions(receiver.requests)).toEqual(dense(200));
  });

  it('show live what the other one stores', async () => {
    const stream = await EventStream.open(second.client, there.events());
    await here.publishMany(3);
    expect((await stream.received(3)).map(({ event }) => event.id)).toEqual(['e1', 'e2', 'e3']);
    stream.close();
  });

  it('end a session on both: the logout on one is known to the other within a second', async () => {
    const { body } = await first.client.post<{ accessToken: string }>('/auth/login', {
      email: first.adminEmail,
      password: first.adminPassword,
    });
    const bearer = { authorization: `Bearer ${body.accessToken}` };
    const asThere = second.client.with({});
    expect((await asThere.get('/tenants', bearer)).status).toBe(200);
    await first.client.with({}).post('/auth/logout', undefined, bearer);
    await until(
      () => asThere.get('/tenants', bearer),
      ({ status }) => status === 401,
      1_000,
    );
  });
});

describe('two instances, one for requests and one for deliveries', () => {
  afterAll(endBoth);

  it('apply changes of a consumer at the other one within a second, and lose nothing', async () => {
    await launchBoth({ env: { ROLES: 'api' } });
    await shareWorkspace();
    const [old, moved, witness] = [await receive(), await receive(), await receive()];
    const { id } = await here.register(old.url);
    await here.register(witness.url);
    const publishAndSee = async (): Promise<number> => {
      const { lastPosition } = await here.publish({ type: 't', data: 1 });
      await witness.received(lastPosition);
      return moved.requests.length;
    };
    await publishAndSee();
    await first.client.patch(here.consumer(id), { url: moved.url, correlationId: 'new' });
    await until(publishAndSee, (seen) => seen > 0, 1_000);
    expect(moved.requests[0]!.headers['x-correlation-id']).toBe('new');
    expect((await first.client.post<Consumer>(`${here.consumer(id)}/pause`)).body.state).toBe('paused');
    await until(
      async () => (await here.readAll()).length - (await publishAndSee()) - old.requests.length,
      (behind) => behind > 3,
      2_000,
    );
    await first.client.post(`${here.consumer(id)}/resume`);
    const count = witness.requests.length;
    await moved.received(count - old.requests.length);
    expect([...positions(old.requests), ...positions(moved.requests)]).toEqual(dense(count));
  });
});

describe('when one of two is killed', () => {
  beforeEach(async () => {
    await launchBoth();
    await shareWorkspace();
  });
  afterEach(endBoth);

  it('the other delivers for all consumers within 10 seconds, in order and without a loss', async () => {
    const fleet = await Promise.all(dense(6).map(() => receive()));
    for (const [i, receiver] of fleet.entries()) await (i % 2 ? here : there).register(receiver.url);
    await here.publishMany(5, 'before');
    await Promise.all(fleet.map((receiver) => receiver.received(5)));
    await first.kill();
    await there.publishMany(5, 'after');
    const deliveries = await Promise.all(fleet.map((receiver) => receiver.received(10, 10_000)));
    for (const requests of deliveries) {
      const unique = [...new Set(ids(requests))];
      expect(unique.slice(0, 5)).toEqual(dense(5).map((n) => `before${n}`));
      expect(unique.slice(5)).toEqual(
        dense(5)
          .map((n) => `after${n}`)
          .slice(0, unique.length - 5),
      );
    }
    await until(
      () => Promise.resolve(fleet),
      (all) => all.every(({ requests }) => ids(requests).includes('after5')),
    );
  });

  it('everything that either acknowledged is stored', async () => {
    const acknowledged: string[] = [];
    const write = async (shop: Workspace, writer: string): Promise<void> => {
      for (let n = 0; n < 200; n++) {
        const answer = await shop.tryPublish({ id: `${writer}-${n}`, type: 't', data: n }).catch(() => undefined);
        if (answer?.status !== 201) return;
        acknowledged.push(`${writer}-${n}`);
        if (acknowledged.length === 200) void first.kill();
      }
    };
    await Promise.all(dense(8).map((n) => write(n % 2 ? here : there, `w${n}`)));
    const stored = await there.readAll();
    expect(stored.map(({ position }) => position)).toEqual(dense(stored.length));
    expect(new Set(stored.map(({ id }) => id)).size).toBe(stored.length);
    expect(stored.map(({ id }) => id)).toEqual(expect.arrayContaining(acknowledged));
    expect(acknowledged.filter((id) => /^w[2468]-/.test(id))).toHaveLength(4 * 200);
  });
});
