import { createHash } from 'node:crypto';

/** A place in the chain of a tenant: the number of a record, and the hash that covers it and all before it. */
export interface ChainPlace {
  readonly seq: number;
  readonly hash: string;
}

/** A sealed record as the chain sees it. */
export interface ChainRecord extends ChainPlace {
  /** Its whole content. */
  readonly text: string;
  /** Whether its own authentication code is valid. */
  readonly genuine: boolean;
}

/**
 * record-missing: a number is not there. record-changed: a record is not the one that was sealed. record-added: a record has a number that
 * was not sealed. chain-rewritten: the records are consistent, but do not match the last signature of the ends, or a head that was kept
 * elsewhere. retention-rewritten: the retention is not the one that was signed last. heads-rewritten: the chain matches its head, but the
 * heads do not match their sum: some chain, unknown which, was replaced by an older one.
 */
export const CHAIN_FAULTS = [
  'record-missing',
  'record-changed',
  'record-added',
  'chain-rewritten',
  'retention-rewritten',
  'heads-rewritten',
] as const;
export type ChainFault = (typeof CHAIN_FAULTS)[number];

export interface ChainBreak {
  readonly fault: ChainFault;
  /** The first number that is wrong; null where only the signature shows that something is. */
  readonly seq: number | null;
}

export const GENESIS: ChainPlace = { seq: 0, hash: createHash('sha256').digest('hex') };

/** The next place of a chain, with this record in it. The number is hashed too, so that no two records can change places. */
export function nextPlace(previous: ChainPlace, text: string): ChainPlace {
  const seq = previous.seq + 1;
  return { seq, hash: createHash('sha256').update(`${previous.hash}\n${seq}\n${text}`).digest('hex') };
}

/** Follows the chain over records in order of their numbers; returns the place reached, or the first break. */
export function follow(from: ChainPlace, records: Iterable<ChainRecord>): ChainPlace | ChainBreak {
  let place = from;
  for (const record of records) {
    const next = nextPlace(place, record.text);
    if (record.seq !== next.seq) return { fault: 'record-missing', seq: next.seq };
    if (!record.genuine || record.hash !== next.hash) return { fault: 'record-changed', seq: next.seq };
    place = next;
  }
  return place;
}

export const isBreak = (result: ChainPlace | ChainBreak): result is ChainBreak => 'fault' in result;
