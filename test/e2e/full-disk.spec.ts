import type { Client as Connection } from 'pg';
import { startApp, type TestApp } from '../support/server/app.js';
import type { Problem } from '../support/api/client.js';
import { connect } from '../support/server/postgres.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { Workspace } from '../support/api/workspace.js';

let app: TestApp;
let shop: Workspace;
let receiver: WebhookReceiver;
let database: Connection;

beforeAll(async () => {
  app = await startApp();
  shop = await Workspace.create(app.client);
  receiver = await WebhookReceiver.start();
  database = await connect(app.connection);
});
afterAll(async () => {
  await database.end();
  await receiver.stop();
  await app.stop();
});

/** Writes fail as in PostgreSQL with a full disk: with SQLSTATE 53100. */
const fill = () =>
  database.query(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION no_room()`);
const makeRoom = () => database.query('DROP FUNCTION no_room() CASCADE');

it('on a full disk publishes and changes are 503 with Retry-After and change nothing; stored events are read and delivered', async () => {
  receiver.next({ status: 500 });
  await shop.register(receiver.url);
  await shop.publish({ id: 'before', type: 't', data: 1 });
  await receiver.received(1);
  await fill();
  const refusals = [
    await app.client.post<Problem>(shop.events(), { id: 'while', type: 't', data: 1 }),
    await app.client.post<Problem>(`${shop.base}/topics`, { id: 'while' }),
  ];
  for (const { status, headers, body } of refusals)
    expect([status, headers.get('retry-after'), body.code]).toEqual([503, '60', 'store-full']);
  expect((await receiver.received(2)).map(({ headers }) => headers['x-event-id'])).toEqual(['before', 'before']);
  expect((await app.client.get(`${shop.base}/topics/while`)).status).toBe(404);

  await makeRoom();
  await shop.publish({ id: 'after', type: 't', data: 1 });
  expect((await shop.readAll()).map(({ id, position }) => [id, position])).toEqual([
    ['before', 1],
    ['after', 2],
  ]);
  expect((await receiver.received(3))[2]!.headers['x-event-id']).toBe('after');
});
