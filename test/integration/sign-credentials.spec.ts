import type { PinoLogger } from 'nestjs-pino';
import { CredentialSignatures, credentialTexts } from '../../src/contexts/identity/adapters/credential-signatures.js';
import { PostgresApiKeys } from '../../src/contexts/identity/adapters/postgres-api-keys.js';
import { PostgresCredentialRows } from '../../src/contexts/identity/adapters/postgres-credential-rows.js';
import { SignCredentials } from '../../src/contexts/identity/application/authentication/sign-credentials.js';
import { KeyRing } from '../../src/platform/crypto/keys.js';
import { auditTrail } from '../support/api/audit.js';
import { SetClock } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const [OLD, YOUNG] = [Buffer.alloc(32, 'o'), Buffer.alloc(32, 'y')];
/** More than two pages. */
const KEYS = 1_201;
const IDS = Array.from({ length: KEYS }, (_, i) => `key_${String(i).padStart(5, '0')}`);

let store: TestDatabase;
beforeEach(async () => {
  store = await createTestDatabase();
  await run(
    `INSERT INTO user_account (user_id, kind, email, name, state, password_signature, version, created_at, updated_at)
     VALUES ('usr_1', 'human', 'one@example.test', 'One', 'active', '', 1, 0, 0)`,
  );
  await run(
    `INSERT INTO api_key (key_id, user_id, name, digest, created_at, signature)
     SELECT id, 'usr_1', 'k', 'digest of ' || id, 0, signature FROM unnest($1::text[], $2::text[]) AS k (id, signature)`,
    [IDS, IDS.map(signedWithOld)],
  );
});
afterEach(() => store.drop());

const UNBOUNDED = {
  previousDigest: null,
  previousEndsAt: null,
  scopes: null,
  actions: null,
  allowedCidrs: null,
  expiresAt: null,
};
const signedWithOld = (keyId: string): string =>
  new CredentialSignatures(new KeyRing(OLD)).sign(
    credentialTexts.apiKey({ keyId, userId: 'usr_1', digest: `digest of ${keyId}`, ...UNBOUNDED }),
  );
const run = (text: string, values: unknown[] = []): Promise<unknown[]> =>
  store.database.query({ name: '', text }, values);

/** The parts of an instance with these master keys. */
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

it('those of the previous master key are signed page by page: after a kill the next start continues, or two at once', async () => {
  const killed = instance(YOUNG, OLD);
  const empty = await killed.rows.signPage('api-key', undefined);
  const page = empty.renewed > 0 ? empty : await killed.rows.signPage('api-key', empty.next);
  expect(page).toMatchObject({ renewed: 500, refused: 0 });
  expect(await instance(YOUNG).good()).toBe(500);
  const [one, two] = [instance(YOUNG, OLD), instance(YOUNG, OLD)];
  await Promise.all([one.sign.run(), two.sign.run()]);
  expect([await instance(YOUNG).good(), one.errors, two.errors]).toEqual([KEYS, [], []]);
  const told = await run(`SELECT DISTINCT tenant_id, outcome FROM audit_record WHERE action = 'credentials.signed'`);
  expect(told).toEqual([{ tenant_id: '$system', outcome: 'success' }]);
});

it.each([
  ['has no signature', `UPDATE api_key SET signature = ''`],
  ['another installation has signed', 'SELECT 1'],
])('none that %s is signed, which is reported at each start', async (_, plant) => {
  await run(plant);
  for (const start of [instance(YOUNG), instance(YOUNG)]) {
    await start.sign.run();
    expect([await start.good(), start.errors]).toEqual([0, [{ kind: 'api-key', renewed: 0, refused: KEYS }]]);
  }
});

it('all move to the next master key at its first start, in either order of the key names', async () => {
  for (const [master, previous] of [
    [YOUNG, OLD],
    [OLD, YOUNG],
  ] as const) {
    const between = instance(master, previous);
    expect(await between.good()).toBe(KEYS); // also before they have moved
    await between.sign.run();
    expect([await instance(master).good(), between.errors]).toEqual([KEYS, []]);
  }
});

it('a row that was changed since it was signed is not signed again', async () => {
  await run(`UPDATE api_key SET user_id = 'usr_2' WHERE key_id = $1`, [IDS[7]]);
  const next = instance(YOUNG, OLD);
  await next.sign.run();
  expect(next.errors).toEqual([{ kind: 'api-key', renewed: KEYS - 1, refused: 1 }]);
});
