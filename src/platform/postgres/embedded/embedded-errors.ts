import { defineErrors, DomainError } from '../../../kernel/domain-error.js';

/** Why the embedded PostgreSQL cannot be started: what, where, and what to do. Reported at the start, never by HTTP. */
export const embeddedError = defineErrors({
  'embedded-in-use': { kind: 'unavailable', title: 'The data directory is in use' },
  'embedded-not-ours': { kind: 'internal', title: 'The data directory holds something else' },
  'embedded-other-version': { kind: 'internal', title: 'The data directory is of another PostgreSQL version' },
  'embedded-no-space': { kind: 'unavailable', title: 'The disk of the data directory is full' },
  'embedded-no-binaries': { kind: 'internal', title: 'There is no embedded PostgreSQL for this machine' },
  'embedded-no-user': { kind: 'internal', title: 'PostgreSQL needs an ordinary user to run as' },
  'embedded-start-failed': { kind: 'unavailable', title: 'PostgreSQL did not start' },
});

/** Advice for an error of the operating system; errors without any are returned unchanged. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'It belongs to another user: start as that user, give it to this one (chown -R), or set DATA_DIR elsewhere.',
  EPERM: 'Its owner cannot be changed there: set DATA_DIR to a local disk, or start as an ordinary user.',
  EROFS: 'The file system is read-only: set DATA_DIR to one that can be written.',
  ENOTDIR: 'A file lies where a directory is wanted: set DATA_DIR to another place.',
  EEXIST: 'A file lies where a directory is wanted: set DATA_DIR to another place.',
  EBUSY: 'It is a mount point: mount the volume at DATA_DIR itself.',
  ENOTSUP: 'The file system takes no sockets: set DATA_DIR to a local disk.',
  EOPNOTSUPP: 'The file system takes no sockets: set DATA_DIR to a local disk.',
  EXDEV: 'It is a mount point: mount the volume at DATA_DIR itself.',
};

/** A failed system call of the start as a sentence, because a stack trace does not say what to set. */
export function withAdvice(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const { code, path, address, syscall } = error as NodeJS.ErrnoException & { address?: string };
  const place = path ?? address;
  const options = { cause: error };
  if (code === 'ENOSPC') {
    return embeddedError(
      'embedded-no-space',
      `${place} could not be written: the disk is full. Make room.`,
      {},
      options,
    );
  }
  const advice = code === undefined ? undefined : ADVICE[code];
  if (advice === undefined) return error;
  return embeddedError('embedded-start-failed', `${syscall} ${place} failed (${code}). ${advice}`, {}, options);
}
