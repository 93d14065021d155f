import { unavailable } from '../postgres/database.js';

const ATTEMPTS_MAX = 5;

/** The state that a change is based on was changed since it was read. */
export class ConflictError extends Error {}

/** Tries a change again, including its reads, if another came first; after five such tries `what` is changed by too many. */
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
