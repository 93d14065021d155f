import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Database } from '../postgres/database.js';
import type { Presence } from '../postgres/presence.js';

const CHANNEL = 'event_store_hints';
const COALESCE_MS = 8;
/** NOTIFY takes less than 8,000 bytes; a longer list is replaced by an empty one, which means "look yourself". */
const PAYLOAD_BYTES_MAX = 7_900;
const RECONNECT_MS_MAX = 5_000;
/** After this long without a response the connection counts as dead. */
const SILENCE_MS = 3_000;

type OnHint = (topicUid: string, position: number) => void;

/**
 * Notifies other instances that a topic has grown. Hints may be lost; no code relies on them (see Tails.poll). NOTIFY is sent on a
 * connection of its own and outside any append: inside, it serialises all commits of the server (4,600–6,200 transactions/s fell to
 * 1,100–2,600). At most one every 8 ms per instance, whatever the load.
 */
export class Hints {
  private readonly instance = randomUUID().slice(0, 8);
  private readonly dirty = new Map<string, number>();
  private readonly listeners: OnHint[] = [];
  private readonly gapListeners: (() => void)[] = [];
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /**
   * `shared: false`: no other instance can be on this store, so nothing is sent or received. `presence` is shown on the same connection,
   * the only one that lasts as long as the process.
   */
  constructor(
    private readonly database: Database,
    private readonly shared: boolean,
    private readonly presence: Presence,
    private readonly onError: (error: unknown) => void,
  ) {}

  onHint(listener: OnHint): void {
    this.listeners.push(listener);
  }

  /** Hints may have been missed: the listener must look for itself. */
  onGap(listener: () => void): void {
    this.gapListeners.push(listener);
  }

  async start(): Promise<void> {
    if (this.shared) await this.connect();
  }

  send(topicUid: string, position: number): void {
    if (!this.shared || this.closed) return;
    this.dirty.set(topicUid, Math.max(position, this.dirty.get(topicUid) ?? 0));
    this.timer ??= setTimeout(() => void this.flush(), COALESCE_MS);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  /** One at a time: what an unresponsive connection leaves behind must not pile up. */
  private async flush(): Promise<void> {
    const { client } = this;
    const list = [...this.dirty].map(([uid, position]) => `${uid} ${position}`).join(',');
    this.dirty.clear();
    const payload = list.length > PAYLOAD_BYTES_MAX ? `${this.instance}:` : `${this.instance}:${list}`;
    const silent = setTimeout(() => cut(client), SILENCE_MS);
    try {
      await client?.query('SELECT pg_notify($1, $2)', [CHANNEL, payload]);
    } catch (error) {
      this.onError(error);
    } finally {
      clearTimeout(silent);
    }
    this.timer = this.dirty.size > 0 && !this.closed ? setTimeout(() => void this.flush(), COALESCE_MS) : undefined;
  }

  private async connect(): Promise<void> {
    const client = await this.database.dedicatedClient('event-store hints');
    client.on('notification', ({ payload = '' }) => this.receive(payload));
    client.on('end', () => void this.reconnect(client));
    try {
      await client.query(`LISTEN ${CHANNEL}`);
      await this.presence.announce(client);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.closed) await client.end();
    else this.client = client;
  }

  private async reconnect(lost: pg.Client): Promise<void> {
    if (this.closed || this.client !== lost) return;
    this.client = undefined;
    for (let delay = 100; !this.closed; delay = Math.min(delay * 2, RECONNECT_MS_MAX)) {
      await pause(delay, undefined, { ref: false });
      try {
        await this.connect();
        for (const listener of this.gapListeners) listener();
        return;
      } catch (error) {
        this.onError(error);
      }
    }
  }

  private receive(payload: string): void {
    const at = payload.indexOf(':');
    if (payload.slice(0, at) === this.instance) return;
    if (at === payload.length - 1) for (const listener of this.gapListeners) listener();
    for (const item of payload.slice(at + 1).split(',')) {
      const [uid, position] = item.split(' ');
      if (uid && position) for (const listener of this.listeners) listener(uid, Number(position));
    }
  }
}

/** `end` would wait for a response that does not come. */
const cut = (client: pg.Client | undefined): void =>
  void (client as unknown as { connection: { stream: Socket } } | undefined)?.connection.stream.destroy();
