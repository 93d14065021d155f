import { equalDigests, type KeyRing } from '../crypto/keys.js';
import { httpError } from './http-errors.js';

/**
 * Opaque cursors of lists. A cursor is authenticated together with its scope (which list, whose, with which filter), so one that was
 * changed, or made for another list or tenant, is refused.
 */
export class Cursors {
  constructor(private readonly keys: KeyRing) {}

  encode(scope: string, place: string | number): string {
    const payload = Buffer.from(JSON.stringify(place)).toString('base64url');
    return `${payload}.${this.keys.mac(`${scope}\n${payload}`)}`;
  }

  decode<T extends string | number>(scope: string, cursor: string): T {
    const [payload = '', mac = ''] = cursor.split('.', 2);
    if (!equalDigests(mac, this.keys.mac(`${scope}\n${payload}`))) {
      throw httpError('cursor-invalid', 'The cursor was not made for this list.', {
        errors: [{ pointer: '?cursor', detail: 'was not made for this list' }],
      });
    }
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as T;
  }
}

/** A page of a list: the store's rows for `limit + 1`, cut to `limit`. */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  { item, cursor }: { item: (row: R) => T; cursor: (last: R) => string },
): { items: T[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? cursor(shown[shown.length - 1]!) : null;
  return { items: shown.map(item), nextCursor };
}
