import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { embeddedError } from './embedded-errors.js';

/** The user that PostgreSQL runs as. It refuses to run as root, so that root needs another one. */
export interface PostgresUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** We are root and become this user for PostgreSQL; otherwise it is who we are. */
  readonly switched: boolean;
}

/** Who we are, and who else there is. */
export interface Accounts {
  readonly uid: number;
  readonly gid: number;
  /** The text of /etc/passwd. */
  readonly passwd: () => string;
}

const machine = (): Accounts => ({
  uid: process.getuid?.() ?? -1,
  gid: process.getgid?.() ?? -1,
  passwd: () => readFileSync('/etc/passwd', 'utf8'),
});

/**
 * An ordinary user runs PostgreSQL himself. Root takes the owner of the store that exists, so that a store may be started now by its
 * owner and now by root; for a new one `postgres` if the system has it, otherwise `nobody`. No user is made.
 */
export function choosePostgresUser(
  storeOwner: { readonly uid: number; readonly gid: number } | undefined,
  { uid, gid, passwd }: Accounts = machine(),
): PostgresUser {
  if (uid !== 0) return { name: `uid ${uid}`, uid, gid, switched: false };
  const users = passwd()
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , userId, groupId]) => ({ name, uid: Number(userId), gid: Number(groupId), switched: true }));
  if (storeOwner && storeOwner.uid !== 0) {
    const known = users.find((user) => user.uid === storeOwner.uid);
    return known ?? { ...storeOwner, name: `uid ${storeOwner.uid}`, switched: true };
  }
  const user = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (user) return user;
  throw embeddedError(
    'embedded-no-user',
    'PostgreSQL does not run as root, and /etc/passwd has no user "postgres" or "nobody". Start as an ordinary user, or set DATABASE_URL.',
  );
}

/** What `spawn` takes to run a program as that user; its supplementary groups are dropped with it. */
export function identity({ uid, gid, switched }: PostgresUser): { uid?: number; gid?: number } {
  return switched ? { uid, gid } : {};
}

/**
 * Whether the user can get into a directory. The kernel is asked, by a shell that goes there: mode bits alone say nothing of access
 * lists, mount options and security modules.
 */
export function canEnter(user: PostgresUser, directory: string): Promise<boolean> {
  if (!user.switched) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const options = { ...identity(user), cwd: '/', env: {} };
    execFile('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], options, (error) => {
      if (error && typeof error.code === 'string') reject(cannotSwitch(user, error));
      else resolve(error === null);
    });
  });
}

/** The first directory on the way that the user cannot enter: the one to be named. */
export async function closedDirectory(user: PostgresUser, directory: string): Promise<string> {
  const parent = dirname(directory);
  if (parent === directory || (await canEnter(user, parent))) return directory;
  return closedDirectory(user, parent);
}

function cannotSwitch(user: PostgresUser, cause: Error): Error {
  return embeddedError(
    'embedded-no-user',
    `PostgreSQL does not run as root, and this process cannot become the user ${user.name} (${cause.message}). Start as an ordinary user, or set DATABASE_URL.`,
    {},
    { cause },
  );
}
