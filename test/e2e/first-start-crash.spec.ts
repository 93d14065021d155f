import { startProcess } from '../support/server/app.js';
import { createTestDatabase } from '../support/server/postgres.js';

it('a first start that died before its administrator had the role is completed by the next start', async () => {
  const { connection, database, drop } = await createTestDatabase();
  const first = await startProcess({ connection });
  await first.stop();
  for (const [name, text] of [
    ['test-roles', "DELETE FROM member_role WHERE tenant_id = '$system'"],
    ['test-members', "DELETE FROM member WHERE tenant_id = '$system'"],
    ['test-forget', "DELETE FROM event WHERE tenant_id = '$system' AND type LIKE 'member.%'"],
  ])
    await database.query({ name: name!, text: text! });
  const second = await startProcess({ connection, apiKey: first.apiKey });
  expect((await second.client.get('/users')).status).toBe(200);
  await second.stop();
  await drop();
});
