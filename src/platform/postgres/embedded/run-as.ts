import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { embeddedError } from './embedded-errors.js';

/** The user that PostgreSQL runs as. It refuses to run as root, so root needs another one. */
export interface PostgresUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** We are root and switch to this user for PostgreSQL; otherwise it is the current user. */
  readonly switched: boolean;
}

/** The current user, and the other ones of the system. */
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
 * An ordinary user runs PostgreSQL directly. Root takes the owner of the existing store, so that a store may be started sometimes by its
 * owner and sometimes by root; for a new one `postgres` if the system has it, otherwise `nobody`. No user is created.
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

/** Options for `spawn` to run a program as that user; supplementary groups are dropped. */
export function identity({ uid, gid, switched }: PostgresUser): { uid?: number; gid?: number } {
  return switched ? { uid, gid } : {};
}

/**
 * Whether the user can enter a directory. A shell that tries it asks the kernel: mode bits alone say nothing about access lists, mount
 * options and security modules.
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

/** The first directory on the path that the user cannot enter: the one to name in the error. */
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
