/** What a database error means for the caller. SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */

interface DatabaseFailure {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
}

const TRANSIENT = new Set(['40001', '40P01', '55P03', '57P01', '57P02', '57P03', '53300', '25P03', '57014']);
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
const POOL_MESSAGES =
  /Query read timeout|Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|connection is closed|not queryable/i;

/** Serialisation failure or deadlock: the transaction was certainly rolled back. */
export function isConflict(error: unknown): boolean {
  const { code } = error as DatabaseFailure;
  return code === '40001' || code === '40P01';
}

/** Serialisation failure, deadlock, lock or statement timeout, server shutting down: the same transaction may succeed when run again. */
export function isTransient(error: unknown): boolean {
  const { code } = error as DatabaseFailure;
  return code !== undefined && (TRANSIENT.has(code) || (code.length === 5 && code.startsWith('08')));
}

/** The server was not reached, or the connection broke: whether a statement took effect is unknown. */
export function isUnreachable(error: unknown): boolean {
  const { code, message } = error as DatabaseFailure;
  if (code !== undefined && (SOCKET_CODES.has(code) || code.startsWith('57P'))) return true;
  return message !== undefined && POOL_MESSAGES.test(message);
}

/** The session does not know the statement: the one before it in a pipeline should have prepared it, and failed. Nothing was done. */
export const isUnprepared = (error: unknown): boolean => (error as DatabaseFailure).code === '26000';

/** The name of the unique constraint or index that refused a row, if that is what happened. */
export function violatedKey(error: unknown): string | undefined {
  const { code, constraint } = error as DatabaseFailure;
  return code === '23505' ? (constraint ?? '') : undefined;
}
