import type { Socket } from 'node:net';
import { Loop } from '../jobs/loop.js';

/** What is looked at of a connection; the rest of a socket is not needed. */
export type Connection = Pick<Socket, 'bytesWritten' | 'writableLength' | 'resetAndDestroy'> & {
  /** Node's own: of what is being written, so much is still with us. Without it a slow reader of one large answer looks like one who stopped. */
  readonly _handle?: { readonly writeQueueSize?: number } | null;
};

interface Seen {
  readonly taken: number;
  readonly queued: number | undefined;
  readonly sinceMs: number;
}

/**
 * Ends the connections of those who asked and do not read: whatever the answer is, a stream, an export or a page, what is made for them
 * stays in memory, and what it was read with (a place among the streams, a slot of the audit) is kept from others. A reader who takes a
 * byte now and then, as the network takes them from us, may be as slow as he likes, while all that waits for readers fits into its bound;
 * beyond it those go first who have taken nothing for longest. Without a bound 600 pages that nobody read took the process from 243 to
 * 985 MB within seconds.
 *
 * The connection is reset, so that no part of an answer looks like all of it, and so that the kernel throws away what it holds of it.
 * Rejected: `server.timeout`. It ends whom we keep waiting as well, and any byte that the client sends puts it off.
 */
export interface UnreadLimits {
  /** For so long somebody may take nothing of his answer. */
  readonly unreadTimeoutMs: number;
  /** So much may wait for all readers together. */
  readonly unreadBytesMax: number;
}

export class UnreadAnswers {
  private readonly seen = new WeakMap<Connection, Seen>();

  constructor(
    private readonly connections: Iterable<Connection>,
    private readonly limits: UnreadLimits,
    private readonly onEnded: () => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Looks at all connections often enough; ends with a call of what it returns. */
  watch(): () => void {
    const every = Math.min(1_000, this.limits.unreadTimeoutMs / 10);
    const watching = new Loop({ name: 'unread-answers', restsFirst: true, every, runOnce: () => this.look() });
    watching.start();
    return () => void watching.close();
  }

  look(): void {
    const nowMs = this.nowMs();
    const waiting: { readonly connection: Connection; readonly bytes: number; readonly stoodMs: number }[] = [];
    for (const connection of this.connections) {
      const bytes = connection.writableLength;
      if (bytes === 0) this.seen.delete(connection);
      else waiting.push({ connection, bytes, stoodMs: this.stoodStillMs(connection, nowMs) });
    }
    let bytesAll = waiting.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { connection, bytes, stoodMs } of waiting.toSorted(
      (a, b) => b.stoodMs - a.stoodMs || b.bytes - a.bytes,
    )) {
      if (stoodMs < this.limits.unreadTimeoutMs && bytesAll <= this.limits.unreadBytesMax) return;
      bytesAll -= bytes;
      this.seen.delete(connection);
      connection.resetAndDestroy();
      this.onEnded();
    }
  }

  private stoodStillMs(connection: Connection, nowMs: number): number {
    const taken = connection.bytesWritten - connection.writableLength;
    const { _handle: handle } = connection;
    const queued = handle?.writeQueueSize;
    const before = this.seen.get(connection);
    if (before && before.taken === taken && before.queued === queued) return nowMs - before.sinceMs;
    this.seen.set(connection, { taken, queued, sinceMs: nowMs });
    return 0;
  }
}
