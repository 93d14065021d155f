import type { Socket } from 'node:net';
import { Loop } from '../jobs/loop.js';

/** The parts of a connection that are used; the rest of a socket is not needed. */
export type Connection = Pick<Socket, 'bytesWritten' | 'writableLength' | 'resetAndDestroy'> & {
  /** Node's own: how much of the current write is still in this process. Without it a slow reader of one large response looks stalled. */
  readonly _handle?: { readonly writeQueueSize?: number } | null;
};

interface Seen {
  readonly taken: number;
  readonly queued: number | undefined;
  readonly sinceMs: number;
}

/**
 * Ends the connections of clients that send requests and do not read: whatever the response is, a stream, an export or a page, it stays in
 * memory, and the resources it holds (a stream slot, an audit slot) are kept from others. A client that reads a byte now and then, as the
 * network takes them from us, may be as slow as it likes, as long as everything that waits fits into the total limit; above it those are
 * ended first that have read nothing for longest. Without a limit 600 unread pages took the process from 243 to 985 MB within seconds.
 *
 * The connection is reset, so that no part of a response looks like all of it, and the kernel discards what it holds of it. Rejected:
 * `server.timeout`. It also ends connections that wait for us, and any byte from the client postpones it.
 */
export interface UnreadLimits {
  /** How long a client may read nothing of its response. */
  readonly unreadTimeoutMs: number;
  /** How many bytes may wait for all clients together. */
  readonly unreadBytesMax: number;
}

export class UnreadResponses {
  private readonly seen = new WeakMap<Connection, Seen>();

  constructor(
    private readonly connections: Iterable<Connection>,
    private readonly limits: UnreadLimits,
    private readonly onEnded: () => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Checks all connections at intervals; the returned function ends that. */
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
