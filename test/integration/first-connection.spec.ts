import { Client } from 'pg';
import { loadSettings } from '../../src/platform/config/index.js';
import { firstConnection } from '../../src/platform/postgres/first-connection.js';
import { openStorage } from '../../src/platform/postgres/open-storage.js';
import { processLogger } from '../../src/platform/telemetry/logger.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { CA_FILE, TlsFront } from '../support/faults/tls-front.js';

let store: TestDatabase;
let front: TlsFront;
const clients: Client[] = [];
const silent = { warn: () => undefined };

beforeAll(async () => {
  store = await createTestDatabase('empty');
  front = await TlsFront.start(store.connection, { ssl: true });
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())));
afterAll(async () => {
  await front.stop();
  await store.drop();
});

async function open(url: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const settings = loadSettings({ env: { DATABASE_URL: url, SECRET_KEY: 'k'.repeat(32), ...env } });
  const { database, storage } = await openStorage(settings, processLogger('silent'));
  await database.close();
  await storage.stop();
}

describe('a PostgreSQL that cannot be used is reported in one sentence, with what to set', () => {
  const role = `stranger_${process.pid}`;
  const url = (change: (url: URL) => void): string => {
    const changed = new URL(front.urlFor('localhost', ''));
    change(changed);
    return changed.toString();
  };

  beforeAll(async () => {
    const admin = await connect(store.connection);
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'stranger'`);
    await admin.end();
  });
  afterAll(async () => {
    const admin = await connect(store.connection);
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();
  });

  it.each<[string, () => string, Record<string, string>, RegExp]>([
    ['no such role', () => url((one) => (one.username = 'nobody_here')), {}, /^PostgreSQL refuses us: .*nobody_here/],
    ['no such database', () => url((one) => (one.pathname = '/nowhere')), {}, /"nowhere" does not exist.*DATABASE_URL/],
    [
      'a role that owns nothing',
      () => url((one) => ((one.username = role), (one.password = 'stranger'))),
      {},
      /permission denied for schema public.*must own the database/,
    ],
    [
      'a certificate for another host',
      () => front.urlFor('127.0.0.1', 'sslmode=verify-full'),
      { DATABASE_CA_FILE: CA_FILE },
      /^The certificate of PostgreSQL does not hold: .*127\.0\.0\.1.*DATABASE_CA_FILE/,
    ],
    [
      'a certificate of an unknown authority',
      () => front.urlFor('localhost', 'sslmode=verify-full'),
      {},
      /^The certificate of PostgreSQL does not hold: .*DATABASE_CA_FILE/,
    ],
    [
      'a file of certificates that is not there',
      () => front.urlFor('localhost', 'sslmode=verify-full'),
      { DATABASE_CA_FILE: '/nowhere/ca.pem' },
      /DATABASE_CA_FILE.*\/nowhere\/ca\.pem \(ENOENT\)/,
    ],
  ])('%s', async (_, address, env, message) => {
    await expect(open(address(), env)).rejects.toMatchObject({
      code: 'database-refused',
      message: expect.stringMatching(message),
    });
  });

  it('a version that is too old', async () => {
    await expect(firstConnection({ dedicatedClient: () => clientOfVersion('14.22') }, silent)).rejects.toMatchObject({
      code: 'database-refused',
      message: 'PostgreSQL 14.22 is too old: this release needs 15 or newer.',
    });
  });
});

describe('a PostgreSQL that is unreachable at the start', () => {
  it.each(['ECONNREFUSED', '57P03', '53300'])('is waited for: %s', async (code) => {
    const outcomes = [code, code];
    const dedicatedClient = (): Promise<Client> => {
      const failure = outcomes.shift();
      return failure === undefined
        ? clientOfVersion('18.4')
        : Promise.reject(Object.assign(new Error('away'), { code: failure }));
    };
    await expect(firstConnection({ dedicatedClient }, silent)).resolves.toBeInstanceOf(Client);
    expect(outcomes).toEqual([]);
  });

  it('is reported with the reason when patience ends', async () => {
    const dedicatedClient = (): Promise<Client> =>
      Promise.reject(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }));
    await expect(firstConnection({ dedicatedClient }, silent, { patienceMs: -1 })).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.1:1.*DATABASE_URL/),
    });
  });

  it('is not waited for once the start is given up', async () => {
    const abandon = new AbortController();
    const dedicatedClient = (): Promise<Client> => {
      abandon.abort();
      return Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
    };
    await expect(firstConnection({ dedicatedClient }, silent, abandon)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

/** A real client on the store of the test that reports another version. */
async function clientOfVersion(version: string): Promise<Client> {
  const client = new Client(store.connection);
  await client.connect();
  client.query = (() => Promise.resolve({ rows: [{ server_version: version }] })) as never;
  clients.push(client);
  return client;
}
