import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Cursors } from '../../../platform/http/cursor.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import type { AuditView } from '../../../platform/audit/index.js';
import { AuditResponses } from './audit-responses.js';

async function* pages(): AsyncGenerator<AuditView[]> {
  for (const auditId of ['1', '2', '3'])
    yield [{ auditId, occurredAt: 0, before: null, after: null } as unknown as AuditView];
}

/** The body of an export by a client that keeps the right for so many pages. */
async function exported(allowed: number): Promise<string> {
  let sent!: Readable;
  const reply = {
    raw: { closed: false, once: () => undefined },
    status: () => reply,
    headers: () => reply,
    send: (body: Readable) => (sent = body),
  };
  let asked = 0;
  const access = { stillAllowed: () => Promise.resolve(asked++ < allowed) };
  const answers = new AuditResponses(
    { execute: () => Promise.resolve(pages()) } as unknown as CommandBus,
    {} as QueryBus,
    {} as Cursors,
  );
  const request = { access, principal: { id: 'usr_1' }, headers: {}, routeOptions: {} };
  await answers.export('acme', { format: 'ndjson' }, request as unknown as Request, reply as unknown as Reply);
  return text(sent);
}

it('an export whose reader loses the right midway breaks the connection: a cut-off export must not look complete', async () => {
  expect((await exported(3)).trimEnd().split('\n')).toHaveLength(3);
  await expect(exported(2)).rejects.toMatchObject({ code: 'audit-stopped' });
});
