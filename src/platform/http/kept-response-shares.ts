import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { boundedMap } from '../limits/bounded-map.js';
import { Database, type Statement } from '../postgres/database.js';

/** A sum reads a row for each stored response of the holder. */
const SUMMED_AGAIN_AFTER_MS = 60_000;
const REMEMBERED_MAX = 10_000;

const SUM: Statement = {
  name: 'idempotency-share',
  text: 'SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM idempotency WHERE holder = $1',
};

interface Share {
  bytes: number;
  readonly summedAt: number;
}

/**
 * How many bytes of stored responses a tenant, or a user outside of any tenant, holds. Summed once a minute and incremented in between;
 * what other instances add in that minute is not seen.
 */
@Injectable()
export class KeptResponseShares {
  private readonly shares = boundedMap<Share>(REMEMBERED_MAX);
  /** Concurrent callers share one sum. */
  private readonly sums = new Map<string, Promise<number>>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  bytesOf(holder: string): number | Promise<number> {
    const share = this.shares.peek(holder);
    if (share && this.clock.now() - share.summedAt <= SUMMED_AGAIN_AFTER_MS) return share.bytes;
    let sum = this.sums.get(holder);
    if (!sum) this.sums.set(holder, (sum = this.sum(holder).finally(() => this.sums.delete(holder))));
    return sum;
  }

  add(holder: string, bytes: number): void {
    const share = this.shares.peek(holder);
    if (share) share.bytes += bytes;
  }

  private async sum(holder: string): Promise<number> {
    const summedAt = this.clock.now();
    const [row] = await this.database.query<{ bytes: number }>(SUM, [holder]);
    this.shares.set(holder, { bytes: row!.bytes, summedAt });
    return row!.bytes;
  }
}
