import { choosePostgresUser, identity } from './run-as.js';

const passwd =
  (...lines: string[]): (() => string) =>
  () =>
    ['root:x:0:0:root:/root:/bin/bash', ...lines, ''].join('\n');
const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';
const POSTGRES = 'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash';

const unreadable = (): never => {
  throw new Error('read');
};
const root = (...lines: string[]) => choosePostgresUser(undefined, { uid: 0, gid: 0, passwd: passwd(...lines) });

describe('the user of PostgreSQL', () => {
  it('is the current user if that is not root, without reading /etc/passwd', () => {
    const user = choosePostgresUser(undefined, { uid: 1_000, gid: 1_001, passwd: unreadable });
    expect(user).toMatchObject({ uid: 1_000, gid: 1_001, switched: false });
    expect(identity(user)).toEqual({});
  });

  it('is postgres for root, and the user nobody if there is no postgres', () => {
    expect(root(NOBODY, POSTGRES)).toEqual({ name: 'postgres', uid: 101, gid: 104, switched: true });
    expect(root('postgresql:x:5:5:::', NOBODY)).toEqual({ name: 'nobody', uid: 65_534, gid: 65_533, switched: true });
    expect(identity(root(NOBODY))).toEqual({ uid: 65_534, gid: 65_533 });
  });

  it('is the owner of an existing store, unless that is root, which PostgreSQL refuses', () => {
    const machine = { uid: 0, gid: 0, passwd: passwd(POSTGRES) };
    expect(choosePostgresUser({ uid: 1_000, gid: 1_001 }, machine)).toMatchObject({
      uid: 1_000,
      gid: 1_001,
      switched: true,
    });
    expect(choosePostgresUser({ uid: 0, gid: 0 }, machine)).toMatchObject({ name: 'postgres', uid: 101 });
  });

  it('is reported as missing with what to do', () => {
    expect(() => root()).toThrow(/no user "postgres" or "nobody".*DATABASE_URL/);
  });
});
