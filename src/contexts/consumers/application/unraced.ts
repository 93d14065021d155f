import { isCode } from '../../../kernel/domain-error.js';
import { namesVersions, type ExpectedVersion } from '../../../kernel/expected-version.js';
import { unavailable } from '../../../platform/postgres/database.js';

const ATTEMPTS_MAX = 5;

/** A change that rests on what was read before is made anew where that has changed meanwhile, unless the caller named versions. */
export async function unraced<R>(expectedVersion: ExpectedVersion | undefined, change: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      if (!isCode(error, 'version-mismatch') || namesVersions(expectedVersion)) throw error;
      // Whoever named no version is not told that theirs is old.
      if (attempt === ATTEMPTS_MAX) throw unavailable(error, 'The consumer is changed by too many at once.');
    }
  }
}
