import { randomInt } from 'node:crypto';
import type { Sql } from './database.js';

/** Of session locks with two numbers, the first ("ES"). */
const PRESENCE = 0x4553;

/**
 * Shows the other processes on the store that this one lives: a session lock under a number that is drawn at the start. The server lets
 * go of it with the connection, whatever ends the process; after a lost connection it is taken again. What bears the number of a process
 * that holds no lock is nobody's.
 *
 * Between the loss of the connection and the new lock a process that lives looks gone: as long as it takes to notice, then 100 ms where
 * the server takes it back at once, and up to 5 s (the longest pause of hints.ts) where that was away itself. What it holds may be taken
 * over in that time and done twice; so whoever writes to what it holds names itself and its claim. Rejected: to wait that long before a
 * process is taken for gone, since what one that was killed has left would be refused for as long.
 *
 * Rejected, too: the beats of delivery workers, which take seconds to be missed, and which instances that only take requests do not have.
 */
export class Presence {
  readonly id = randomInt(1, 2 ** 31);

  /** `alone`: no other process can be on the store, so that whoever is not this one is gone, and there is nobody to show it to. */
  constructor(readonly alone: boolean) {}

  /** Shared, because it must not wait for a session of ours that the server has not missed yet. */
  async show(sql: Sql): Promise<void> {
    await sql.query('SELECT pg_advisory_lock_shared($1, $2)', [PRESENCE, this.id]);
  }
}

/** SQL that says whether the process of this number shows itself. */
export const isPresent = (id: string): string => `EXISTS (SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND classid = ${PRESENCE} AND objid = ${id}::oid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;
