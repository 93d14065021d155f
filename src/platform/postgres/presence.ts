import { randomInt } from 'node:crypto';
import type { Sql } from './database.js';

/** Namespace of session locks with two numbers, the first ("ES"). */
const PRESENCE = 0x4553;

/**
 * Shows the other processes on the store that this one is alive: a session lock under a number drawn at the start. The server releases it
 * with the connection, however the process ends; after a lost connection it is taken again. Work marked with the number of a process that
 * holds no lock has no owner.
 *
 * Between the loss of the connection and the new lock a live process looks dead: for as long as it takes to notice, plus 100 ms if the
 * server accepts it at once, or up to 5 s (the longest pause of hints.ts) if the server itself was away. Its work may be taken over in that
 * time and done twice; so every write to such work names its writer and claim. Rejected: to wait that long before a process counts as dead,
 * since the work of a killed one would be refused for as long.
 *
 * Also rejected: the heartbeats of delivery workers, which take seconds to be missed, and which instances without delivery do not have.
 */
export class Presence {
  readonly id = randomInt(1, 2 ** 31);

  /** `alone`: no other process can be on the store, so any other number is of a dead one, and there is no process to show this one to. */
  constructor(readonly alone: boolean) {}

  /** Shared, because it must not wait for an earlier session of ours that the server has not ended yet. */
  async announce(sql: Sql): Promise<void> {
    await sql.query('SELECT pg_advisory_lock_shared($1, $2)', [PRESENCE, this.id]);
  }
}

/** SQL: whether the process of this number holds its lock. */
export const isPresent = (id: string): string => `EXISTS (SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND classid = ${PRESENCE} AND objid = ${id}::oid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;
