import { isCode } from '../../../kernel/domain-error.js';
import { namesVersions, type ExpectedVersion } from '../../../kernel/expected-version.js';
import { retryOnConflict } from '../../../platform/event-log/index.js';

/**
 * Repeats a change that depends on an earlier read where that has changed meanwhile, unless the caller named versions: callers that named
 * none must not get the error that theirs is old.
 */
export const retryIfChanged = <R>(expectedVersion: ExpectedVersion | undefined, change: () => Promise<R>): Promise<R> =>
  retryOnConflict(
    'The consumer',
    change,
    (error) => isCode(error, 'version-mismatch') && !namesVersions(expectedVersion),
  );
