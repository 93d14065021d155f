import { unavailable } from '../postgres/database.js';

const ATTEMPTS_MAX = 5;

/** What a change rests on was changed since it was read. */
export class ConflictError extends Error {}

/** Makes a change again, from its reading on, where another came before; `what` is changed by too many when that happens five times. */
export async function retryOnConflict<R>(
  what: string,
  change: () => Promise<R>,
  isConflict = (error: unknown): boolean => error instanceof ConflictError,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempt === ATTEMPTS_MAX) throw unavailable(error, `${what} is changed by too many at once.`);
    }
  }
}
