import { isCode } from '../../../kernel/domain-error.js';

const ATTEMPTS_MAX = 5;

/** A change that rests on what was read before is made anew where that has changed meanwhile, unless the caller named the version. */
export async function unraced<R>(expectedVersion: number | undefined, change: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      if (!isCode(error, 'version-mismatch') || expectedVersion !== undefined || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
