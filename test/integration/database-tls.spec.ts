import { Client } from 'pg';
import { connectionOf } from '../../src/platform/postgres/connection-url.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { CA_FILE, OTHER_CA_FILE, TlsFront } from '../support/faults/tls-front.js';

let store: TestDatabase;
let secured: TlsFront;
let bare: TlsFront;

beforeAll(async () => {
  store = await createTestDatabase();
});
beforeEach(async () => {
  secured = await TlsFront.start(store.connection, { ssl: true });
  bare = await TlsFront.start(store.connection, { ssl: false });
});
afterEach(() => Promise.all([secured.stop(), bare.stop()]));
afterAll(() => store.drop());

async function connectTo(url: string, caFile?: string): Promise<void> {
  const client = new Client(await connectionOf(url, caFile));
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

describe('sslmode', () => {
  it.each(['', 'sslmode=disable'])('"%s" is plain text', async (parameters) => {
    await connectTo(secured.urlFor('localhost', parameters));
    expect(secured.connections).toEqual(['plain']);
  });

  it.each(['require', 'prefer', 'allow'])('%s is encrypted, whichever server responds', async (mode) => {
    await connectTo(secured.urlFor('127.0.0.1', `sslmode=${mode}`));
    expect(secured.connections).toEqual(['encrypted']);
  });

  it.each(['require', 'prefer', 'allow', 'verify-ca', 'verify-full'])(
    '%s never falls back to plain text',
    async (mode) => {
      await expect(connectTo(bare.urlFor('localhost', `sslmode=${mode}`), CA_FILE)).rejects.toThrow(
        'does not support SSL',
      );
      expect(bare.connections).toEqual([]);
    },
  );

  it('verify-ca accepts any name that the authority has signed', async () => {
    await connectTo(secured.urlFor('127.0.0.1', 'sslmode=verify-ca'), CA_FILE);
    expect(secured.connections).toEqual(['encrypted']);
  });

  it('verify-full accepts the name of the certificate, and no other', async () => {
    await connectTo(secured.urlFor('localhost', 'sslmode=verify-full'), CA_FILE);
    await expect(connectTo(secured.urlFor('127.0.0.1', 'sslmode=verify-full'), CA_FILE)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it.each([
    ['verify-ca', 'the authority is another one', OTHER_CA_FILE],
    ['verify-full', 'the authority is another one', OTHER_CA_FILE],
    ['verify-ca', 'no authority is named, and none of the system has signed', undefined],
    ['verify-full', 'no authority is named, and none of the system has signed', undefined],
    // As libpq does: a named authority is meant to be used.
    ['require', 'the authority is another one', OTHER_CA_FILE],
  ])('%s refuses a server where %s', async (mode, _, caFile) => {
    await expect(connectTo(secured.urlFor('localhost', `sslmode=${mode}`), caFile)).rejects.toThrow(/certificate/);
  });

  it('is verify-full if only an authority is named, also in the URL', async () => {
    await connectTo(secured.urlFor('localhost', `sslrootcert=${encodeURIComponent(CA_FILE)}`));
    await expect(connectTo(secured.urlFor('127.0.0.1', ''), CA_FILE)).rejects.toThrow(/altnames/);
    expect(secured.connections[0]).toBe('encrypted');
  });
});
