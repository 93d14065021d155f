import { SystemClock, type Clock } from '../../../src/kernel/clock.js';
import { AuditTrail, type AuditLoss } from '../../../src/platform/audit/index.js';
import { KeyRing } from '../../../src/platform/crypto/keys.js';
import type { Database } from '../../../src/platform/postgres/database.js';

/** For all trails in tests. */
export const AUDIT_KEYS = new KeyRing(Buffer.from('a master key of the tests, 32 bytes or more'));

export interface TestTrail extends AuditTrail {
  /** What was lost, and why. */
  readonly losses: readonly (readonly [AuditLoss, number])[];
}

/** Without a database only what is written in a transaction is stored. */
export function auditTrail(clock: Clock = new SystemClock(), database?: Pick<Database, 'transaction'>): TestTrail {
  const losses: [AuditLoss, number][] = [];
  const nowhere = { transaction: (): Promise<never> => Promise.reject(new Error('no database')) };
  const trail = new AuditTrail(database ?? nowhere, AUDIT_KEYS, clock, {
    onDelayed: () => undefined,
    onLost: (loss, records) => losses.push([loss, records]),
  });
  return Object.assign(trail, { losses });
}
