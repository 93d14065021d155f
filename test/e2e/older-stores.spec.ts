import { startProcess } from '../support/app.js';
import { Person, type User } from '../support/people.js';
import { createTestDatabase } from '../support/postgres.js';
import type { Page } from '../support/workspace.js';

it('a store of before permissions is administered by who was there first, whatever his id', async () => {
  const { connection, database, drop } = await createTestDatabase();
  const first = await startProcess({ connection });
  for (let n = 0; n < 8; n++) await Person.create(first);
  await first.stop();
  for (const [name, text] of [
    ['test-roles', "DELETE FROM member_role WHERE tenant_id = '$system'"],
    ['test-members', "DELETE FROM member WHERE tenant_id = '$system'"],
    ['test-forget', "DELETE FROM event WHERE tenant_id = '$system' AND type LIKE 'member.%'"],
  ])
    await database.query({ name: name!, text: text! });
  const second = await startProcess({ connection, apiKey: first.apiKey });
  const { status, body } = await second.client.get<Page<User>>('/users?limit=1000');
  expect([status, body.items?.length]).toEqual([200, 9]);
  await second.stop();
  await drop();
});
