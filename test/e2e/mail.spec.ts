import { startProcess } from '../support/server/app.js';
import { newPassword } from '../support/api/people.js';
import { until, Workspace } from '../support/api/workspace.js';

describe('without a mail server', () => {
  it('mails are written to the log in development, which says so; production refuses invitations', async () => {
    const development = await startProcess({ env: { NODE_ENV: 'development', LOG_LEVEL: 'warn' } });
    expect((await development.client.post('/users', { email: 'jane@example.test' })).status).toBe(201);
    await until(
      () => Promise.resolve(development.output()),
      (output) => /"mailTo":"jane@example\.test".*epr_.*MAIL_URL is not set/.test(output),
    );
    await development.stop();
    const production = await startProcess({ env: { NODE_ENV: 'production', LOG_LEVEL: 'info' } });
    const refused = await production.client.post('/users', { email: 'jane@example.test' });
    expect([refused.status, refused.body.code]).toEqual([422, 'mail-not-configured']);
    const body = { email: 'jane@example.test', password: newPassword() };
    expect((await production.client.post('/users', body)).status).toBe(201);
    const { tenant } = await Workspace.create(production.client);
    for (const email of [body.email, 'joe@example.test']) {
      const { status, body: problem } = await production.client.post(`/tenants/${tenant}/members`, { email });
      expect([status, problem.code]).toEqual([422, 'mail-not-configured']);
    }
    expect((await production.client.with({}).post('/auth/password/reset-request', { email: body.email })).status).toBe(
      202,
    );
    await until(
      () => Promise.resolve(production.output()),
      (output) => output.includes('a mail is not sent'),
    );
    await production.stop();
    expect(production.output()).not.toContain('epr_');
  });
});
