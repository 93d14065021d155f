import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { embeddedError } from './embedded-errors.js';

/** The user that PostgreSQL runs as. It refuses to run as root, so that root needs another one. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined: as ourselves. `postgres` if the system has it, otherwise `nobody`; no user is made. */
export function chooseUser(
  passwd: string = readFileSync('/etc/passwd', 'utf8'),
  ourUid = process.getuid?.(),
): RunAs | undefined {
  if (ourUid !== 0) return undefined;
  const users = new Map(passwd.split('\n').map((line) => [line.split(':', 1)[0], line.split(':')]));
  const user = users.get('postgres') ?? users.get('nobody');
  if (!user) {
    throw embeddedError(
      'embedded-no-user',
      'PostgreSQL does not run as root, and there is no user "postgres" or "nobody". Start as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Whether a user can get to a path: every directory above it lets him pass. */
export async function canReach(path: string, { uid, gid }: RunAs): Promise<boolean> {
  for (let directory = dirname(resolve(path)); ; directory = dirname(directory)) {
    const { mode, uid: owner, gid: group } = await stat(directory);
    const passes = owner === uid ? mode & 0o100 : group === gid ? mode & 0o010 : mode & 0o001;
    if (!passes) return false;
    if (directory === dirname(directory)) return true;
  }
}
