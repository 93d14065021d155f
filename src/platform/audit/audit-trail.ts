import type { Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/domain-error.js';
import type { KeyRing } from '../crypto/keys.js';
import { Loop } from '../jobs/loop.js';
import type { Database, Sql } from '../postgres/database.js';
import { toRow, type AuditRecord, type AuditRow } from './audit-record.js';
import { insertionOf, type AuditInsert } from './audit-records.js';
import { RepeatedDenials } from './repeated-denials.js';

const QUEUE_RECORDS_MAX = 10_000;
const BATCH_RECORDS = 200;
const FLUSH_MS = 200;
const RETRY_MS = 1_000;

/** Why records were not written. */
export type AuditLoss = 'queue-full' | 'write-failed';

export interface AuditTrailOptions {
  readonly onLost: (loss: AuditLoss, records: number, error?: unknown) => void;
  /** The store could not be reached; the records wait. */
  readonly onDelayed: (error: unknown) => void;
}

/**
 * Where everything that must be recorded is written. Changes of the store are recorded in their transaction (`write`); occurrences such as
 * a login or a refusal soon after (`note`).
 */
export class AuditTrail {
  private queue: AuditRow[] = [];
  /** Records dropped for lack of room since the last report. */
  private dropped = 0;
  private readonly denials = new RepeatedDenials();
  private flushing: Promise<boolean> | undefined;
  private readonly loop = new Loop({
    name: 'audit-trail',
    restsFirst: true,
    every: () => (this.denials.watching ? RETRY_MS : Infinity),
    nudgeDelay: () => FLUSH_MS,
    backOff: { minMs: RETRY_MS, maxMs: RETRY_MS },
    runOnce: () => this.writeNoted(),
  });

  /** Called as soon as records are sent to the store: before they are committed, and also if they never are. */
  onRecord: () => void = () => undefined;

  constructor(
    private readonly database: Pick<Database, 'transaction'>,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    private readonly options: AuditTrailOptions,
  ) {
    this.loop.start();
  }

  /** Records that wait to be written. */
  get depth(): number {
    return this.queue.length;
  }

  /** In the caller's transaction: the record exists if and only if the transaction commits. Returns the id of the record. */
  async write(sql: Sql, record: AuditRecord): Promise<string> {
    const row = toRow(record, this.clock.now());
    const { text, values } = this.insertOf([row]);
    await sql.query(text, values);
    return row.auditId;
  }

  /** Never waits and never fails; what cannot be written is counted and logged. */
  note(record: AuditRecord): void {
    const now = this.clock.now();
    try {
      if (this.denials.admit(record, now)) this.enqueue(toRow(record, now));
    } catch (error) {
      this.options.onLost('write-failed', 1, error);
    }
    this.takeCounted(now);
    this.loop.nudge();
  }

  /** Writes what waits; false if the store is unreachable, and the records continue to wait. */
  flush(): Promise<boolean> {
    this.flushing ??= this.drain().finally(() => (this.flushing = undefined));
    return this.flushing;
  }

  /** Writes everything noted, including counted denials. */
  async close(): Promise<void> {
    await this.loop.close();
    this.takeCounted(Infinity);
    await this.flushing;
    if (await this.flush()) return;
    this.options.onLost('write-failed', this.queue.length);
    this.queue = [];
  }

  /** Called by Nest, when requests and background work have ended. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  private enqueue(row: AuditRow): void {
    if (this.queue.length < QUEUE_RECORDS_MAX) this.queue.push(row);
    else this.dropped += row.times;
  }

  private takeCounted(now: number): void {
    for (const row of this.denials.due(now)) this.enqueue(row);
  }

  private async writeNoted(): Promise<void> {
    this.takeCounted(this.clock.now());
    // `onDelayed` has reported it.
    if (!(await this.flush())) throw new Error('The store is away.');
  }

  private async drain(): Promise<boolean> {
    if (this.dropped > 0) this.options.onLost('queue-full', this.dropped);
    this.dropped = 0;
    while (this.queue.length > 0) {
      const batch = this.queue.slice(0, BATCH_RECORDS);
      try {
        await this.insert(batch);
      } catch (error) {
        if (error instanceof DomainError && error.kind === 'unavailable') {
          this.options.onDelayed(error);
          return false;
        }
        await this.insertOneByOne(batch);
      }
      this.queue.splice(0, batch.length);
    }
    return true;
  }

  /** A record that the store refuses must not block the others. */
  private async insertOneByOne(rows: readonly AuditRow[]): Promise<void> {
    for (const row of rows)
      await this.insert([row]).catch((error: unknown) => this.options.onLost('write-failed', row.times, error));
  }

  private async insert(rows: readonly AuditRow[]): Promise<void> {
    const { text, values } = this.insertOf(rows);
    await this.database.transaction((sql) => sql.query(text, values));
  }

  private insertOf(rows: readonly AuditRow[]): AuditInsert {
    this.onRecord();
    return insertionOf(rows, this.keys);
  }
}
