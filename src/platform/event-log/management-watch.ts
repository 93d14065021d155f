import { MANAGEMENT_TOPICS } from '../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../kernel/ids.js';
import { Loop } from '../jobs/loop.js';
import type { StoredEvent } from './event.js';
import type { Hints } from './hints.js';
import type { LogReader } from './log-reader.js';
import type { ManagementPlace } from './management-place.js';

const PAGE = 1_000;

export interface ManagementWatchOptions {
  /** How often the ends of the logs are looked up in case a hint was lost. Undefined: no other instance can write to this store. */
  readonly pollMs: number | undefined;
  /** Called for every event. Must not throw: the events of an append are committed. */
  readonly notice: (topicUid: string, event: StoredEvent) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Passes every event of the management logs to `notice`, for the caches that depend on them: those of this process as soon as they are
 * committed, those of other instances after a hint (milliseconds) or the next poll. It knows how old its knowledge is, so that a cache can
 * refuse to be trusted once the tail is cut off. An event may be passed twice, and early; caches only invalidate by it, which is harmless.
 */
export class ManagementWatch {
  private readonly positions = new Map<string, number>(Object.values(MANAGEMENT_TOPICS).map((uid) => [uid, 0]));
  private freshAt = -Infinity;
  private looking: Promise<void> | undefined;
  /** For callers during a look, which may already have passed what they wait for. */
  private following: Promise<void> | undefined;
  private readonly polling: Loop;

  constructor(
    private readonly reader: LogReader,
    hints: Hints,
    private readonly options: ManagementWatchOptions,
  ) {
    const { pollMs = Infinity, onError } = options;
    // From one look's begin to that of the next, so that slow looks do not make what is known older than it must be.
    let beganAt = 0;
    const every = (): number => Math.max(0, pollMs - (performance.now() - beganAt));
    const runOnce = (): Promise<void> => {
      beganAt = performance.now();
      return this.catchUp();
    };
    this.polling = new Loop({ name: 'management-watch', restsFirst: true, every, runOnce, onError });
    hints.onHint((topicUid) => {
      if (this.positions.has(topicUid)) this.lookSoon();
    });
    hints.onGap(() => this.lookSoon());
  }

  /** Earlier events are not passed: caches begin empty. */
  async start(): Promise<void> {
    const startedAt = performance.now();
    for (const [uid, end] of await this.ends()) this.positions.set(uid, end);
    this.freshAt = startedAt;
    this.polling.start();
  }

  close(): Promise<void> {
    return this.polling.close();
  }

  /** Milliseconds since everything committed is known to have been passed. */
  get ageMs(): number {
    return this.options.pollMs === undefined ? 0 : performance.now() - this.freshAt;
  }

  /** Committed by this process. */
  appended(topicUid: string, events: readonly StoredEvent[]): void {
    const known = this.positions.get(topicUid);
    if (known === undefined) return;
    this.show(topicUid, events);
    if (events[0]!.position === known + 1) this.advance(topicUid, events.at(-1)!.position);
    else this.lookSoon();
  }

  /** Resolves when everything that was committed before the call has been passed; rejects if the store is unreachable. */
  catchUp(): Promise<void> {
    if (this.looking) return (this.following ??= this.looking.then(this.lookNext, this.lookNext));
    this.looking = this.look().finally(() => (this.looking = undefined));
    return this.looking;
  }

  /** Whether the event at that place was passed, or will be if it was committed before the call. Rejects if the store is unreachable. */
  async reached({ topicUid, position }: ManagementPlace): Promise<boolean> {
    const shown = (): boolean => (this.positions.get(topicUid) ?? Infinity) >= position;
    if (!shown()) await this.catchUp();
    return shown();
  }

  private readonly lookNext = (): Promise<void> => {
    this.following = undefined;
    return this.catchUp();
  };

  private lookSoon(): void {
    this.catchUp().catch(this.options.onError);
  }

  private async look(): Promise<void> {
    const startedAt = performance.now();
    for (const [uid, end] of await this.ends()) await this.readTo(uid, end);
    this.freshAt = startedAt;
  }

  private async readTo(topicUid: string, end: number): Promise<void> {
    for (let position = this.positions.get(topicUid)!; position < end;) {
      const events = await this.reader.follow({ tenantId: SYSTEM_TENANT, topicUid }, position, PAGE);
      if (events.length === 0) return;
      this.show(topicUid, events);
      position = events.at(-1)!.position;
      this.advance(topicUid, position);
    }
  }

  private ends(): Promise<Map<string, number>> {
    return this.reader.heads(SYSTEM_TENANT, [...this.positions.keys()]);
  }

  private show(topicUid: string, events: readonly StoredEvent[]): void {
    for (const event of events) this.options.notice(topicUid, event);
  }

  private advance(topicUid: string, position: number): void {
    if (position > this.positions.get(topicUid)!) this.positions.set(topicUid, position);
  }
}
