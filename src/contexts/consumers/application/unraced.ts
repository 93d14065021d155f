import { isCode } from '../../../kernel/domain-error.js';
import { namesVersions, type ExpectedVersion } from '../../../kernel/expected-version.js';
import { retryOnConflict } from '../../../platform/event-log/index.js';

/**
 * A change that rests on what was read before is made again where that has changed meanwhile, unless the caller named versions: whoever
 * named none is not told that theirs is old.
 */
export const unraced = <R>(expectedVersion: ExpectedVersion | undefined, change: () => Promise<R>): Promise<R> =>
  retryOnConflict(
    'The consumer',
    change,
    (error) => isCode(error, 'version-mismatch') && !namesVersions(expectedVersion),
  );
