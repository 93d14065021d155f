/** Shares of the event loop's time: what the reads of one tenant may take, and those of all tenants together. */
export const TENANT_SHARE = 0.2;
export const READS_SHARE = 0.4;
/** What an idle tenant may take at once: occasional reads never wait. */
export const BURST_MS = 50;

const MS_PER_MIB = 5;
const MS_PER_EVENT = 0.002;
const MIB = 1024 * 1024;

/**
 * What it costs to read a page from the store and to send it: an estimate, since it is spread over turns of the loop and over the store.
 * A tenant reads some 40 MiB a second of large events, or 60,000 small ones. Six readers of events of 800 kB, with a filter or without,
 * raised the p50 of another client's request from 0.9 to 24 ms before; now to 1.1.
 */
export const pageCostMs = (events: readonly { readonly type: string; readonly data?: string }[]): number =>
  events.reduce((sum, { data = '' }) => sum + (data.length / MIB) * MS_PER_MIB + MS_PER_EVENT, 0);

interface Queue<Piece> {
  readonly waiting: Piece[];
  /** Time taken so far, on a scale that all tenants share. */
  spentMs: number;
  /** When what it has taken is paid off. */
  paidOffAtMs: number;
}

/** The piece whose turn is next, and when it may begin. */
export interface Next<Piece> {
  readonly tenantId: string;
  readonly piece: Piece;
  readonly atMs: number;
}

/**
 * Which tenant reads next, and when. The time is shared, not the turns: the tenant that has taken less goes first (start-time fair
 * queueing), and after a piece of work of t ms it waits until t is at most a fifth of the time that has passed (GCRA). So several readers
 * of one tenant get no more than one, a tenant with expensive filters no more than one with cheap ones, and none keeps the loop from
 * other work.
 *
 * The caller passes the time; a piece begins and ends before the next is asked for.
 */
export class ReadShares<Piece> {
  private readonly queues = new Map<string, Queue<Piece>>();
  /** What the last tenant had taken: newcomers start there, or they could catch up on all the time that they did not ask for. */
  private levelMs = 0;
  private allPaidOffAtMs = 0;

  /** Whether the tenant may read at once. */
  mayReadNow(tenantId: string, nowMs: number): boolean {
    const queue = this.queues.get(tenantId);
    return !queue || (queue.waiting.length === 0 && readyAtMs(queue) <= nowMs);
  }

  add(tenantId: string, piece: Piece, nowMs: number): void {
    const queue = this.queueOf(tenantId, nowMs);
    if (queue.waiting.length === 0) queue.spentMs = Math.max(queue.spentMs, this.levelMs);
    queue.waiting.push(piece);
  }

  next(): Next<Piece> | undefined {
    let first: [string, Queue<Piece>] | undefined;
    for (const entry of this.queues) {
      if (entry[1].waiting.length > 0 && (!first || entry[1].spentMs < first[1].spentMs)) first = entry;
    }
    if (!first) return undefined;
    const [tenantId, queue] = first;
    return { tenantId, piece: queue.waiting[0]!, atMs: Math.max(this.allPaidOffAtMs, readyAtMs(queue)) };
  }

  /** The first piece of the tenant was done, from `beganMs` for `tookMs`. */
  done(tenantId: string, beganMs: number, tookMs: number): void {
    const queue = this.queues.get(tenantId)!;
    queue.waiting.shift();
    this.levelMs = queue.spentMs;
    this.charge(tenantId, beganMs, tookMs);
  }

  charge(tenantId: string, beganMs: number, tookMs: number): void {
    const queue = this.queueOf(tenantId, beganMs);
    queue.spentMs += tookMs;
    queue.paidOffAtMs = Math.max(queue.paidOffAtMs, beganMs) + tookMs / TENANT_SHARE;
    this.allPaidOffAtMs = Math.max(this.allPaidOffAtMs, beganMs) + tookMs / READS_SHARE;
  }

  private queueOf(tenantId: string, nowMs: number): Queue<Piece> {
    let queue = this.queues.get(tenantId);
    if (!queue) {
      this.forgetPaidOff(nowMs);
      this.queues.set(tenantId, (queue = { waiting: [], spentMs: this.levelMs, paidOffAtMs: nowMs }));
    }
    return queue;
  }

  private forgetPaidOff(nowMs: number): void {
    for (const [tenantId, { waiting, paidOffAtMs }] of this.queues)
      if (waiting.length === 0 && paidOffAtMs <= nowMs) this.queues.delete(tenantId);
  }
}

const readyAtMs = ({ paidOffAtMs }: Queue<unknown>): number => paidOffAtMs - BURST_MS / TENANT_SHARE;
