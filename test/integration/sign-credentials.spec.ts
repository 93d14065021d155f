import type { PinoLogger } from 'nestjs-pino';
import { CredentialSignatures } from '../../src/contexts/identity/adapters/credential-signatures.js';
import { PostgresApiKeys } from '../../src/contexts/identity/adapters/postgres-api-keys.js';
import { PostgresCredentialRows } from '../../src/contexts/identity/adapters/postgres-credential-rows.js';
import { SignCredentials } from '../../src/contexts/identity/application/sign-credentials.js';
import { KeyRing } from '../../src/platform/crypto/keys.js';
import { auditTrail } from '../support/audit.js';
import { SetClock } from '../support/log.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

const [OLD, YOUNG] = [Buffer.alloc(32, 'o'), Buffer.alloc(32, 'y')];
/** More than two pages. */
const KEYS = 1_201;
const IDS = Array.from({ length: KEYS }, (_, i) => `key_${String(i).padStart(5, '0')}`);

let store: TestDatabase;
beforeEach(async () => {
  store = await createTestDatabase();
  await run(
    `INSERT INTO user_account (user_id, email, name, created_at) VALUES ('usr_1', 'one@example.test', 'One', 0)`,
  );
  await run(
    `INSERT INTO api_key (key_id, user_id, name, digest, created_at)
     SELECT id, 'usr_1', 'k', 'digest of ' || id, 0 FROM unnest($1::text[]) AS id`,
    [IDS],
  );
});
afterEach(() => store.drop());

const run = (text: string, values: unknown[] = []): Promise<unknown[]> =>
  store.database.query({ name: '', text }, values);

/** What an instance with these master keys has to work with. */
function instance(master: Buffer, previous?: Buffer) {
  const signatures = new CredentialSignatures(new KeyRing(master, previous));
  const rows = new PostgresCredentialRows(store.database, signatures);
  const errors: unknown[] = [];
  const log = { info: () => undefined, error: (said: unknown) => errors.push(said) } as unknown as PinoLogger;
  const trail = auditTrail(new SetClock(0), store.database);
  const sign = new SignCredentials(rows, trail, store.database, log);
  const good = async (): Promise<number> =>
    (await new PostgresApiKeys(store.database, signatures).forAuthentication(IDS)).length;
  return { rows, sign, good, errors };
}

it('credentials of before are signed page by page: what a kill has left is done by the next start, or by two at once', async () => {
  const killed = instance(OLD);
  expect(await killed.rows.signPage('api-key', undefined, true)).toMatchObject({ first: 500, refused: 0 });
  expect(await killed.good()).toBe(500);
  const [one, two] = [instance(OLD), instance(OLD)];
  await Promise.all([one.sign.run(true), two.sign.run(true)]);
  expect([await one.good(), one.errors, two.errors]).toEqual([KEYS, [], []]);
  const told = await run(`SELECT DISTINCT tenant_id, outcome FROM audit_record WHERE action = 'credentials.signed'`);
  expect(told).toEqual([{ tenant_id: '$system', outcome: 'success' }]);
});

it('none is signed later, nor one that another installation has signed, which is told at each start', async () => {
  const own = instance(OLD);
  await own.sign.run(false);
  expect([await own.good(), own.errors]).toEqual([0, [{ kind: 'api-key', first: 0, renewed: 0, refused: KEYS }]]);
  await instance(YOUNG).sign.run(true);
  const stranger = instance(OLD);
  await stranger.sign.run(true);
  expect([await stranger.good(), stranger.errors]).toEqual([
    0,
    [{ kind: 'api-key', first: 0, renewed: 0, refused: KEYS }],
  ]);
});

it('all move to the next master key at its first start, in either order of the names of keys', async () => {
  await instance(OLD).sign.run(true);
  for (const [master, previous] of [
    [YOUNG, OLD],
    [OLD, YOUNG],
  ] as const) {
    const between = instance(master, previous);
    expect(await between.good()).toBe(KEYS); // before they have moved, too
    await between.sign.run(false);
    expect([await instance(master).good(), between.errors]).toEqual([KEYS, []]);
  }
});

it('a row that was changed since it was signed is not signed anew', async () => {
  await instance(OLD).sign.run(true);
  await run(`UPDATE api_key SET user_id = 'usr_2' WHERE key_id = $1`, [IDS[7]]);
  const next = instance(YOUNG, OLD);
  await next.sign.run(false);
  expect(next.errors).toEqual([{ kind: 'api-key', first: 0, renewed: KEYS - 1, refused: 1 }]);
});
