import type { StoredEvent, TopicTail } from '../../../platform/event-log/index.js';

/** The next page is requested when this many events are left: at 4,000 deliveries a second it has 16 ms to arrive. */
const READ_AHEAD_EVENTS = 64;
const NOTHING: readonly StoredEvent[] = [];

/** The events ahead of a lane: those in the tail, and pages of the log, each requested before the last is used up. */
export class Backlog {
  private page = NOTHING;
  private ahead: { readonly after: number; readonly events: Promise<readonly StoredEvent[]> } | undefined;

  constructor(private readonly tail: TopicTail) {}

  /** The event at a position, if it is at hand. */
  at(position: number): StoredEvent | undefined {
    const remembered = this.tail.inMemory(position);
    if (remembered) this.page = NOTHING;
    if (this.page.length === 0) return remembered;
    const index = position - this.page[0]!.position;
    const event = this.page[index];
    // Where events are missing, the event at the index is a later one.
    if (event?.position !== position) return undefined;
    if (index >= this.page.length - READ_AHEAD_EVENTS) this.readAhead();
    return event;
  }

  /** The first event at or after a position; undefined: the log ends before it. Rejects if the log cannot be read. */
  async from(position: number): Promise<StoredEvent | undefined> {
    if (!this.page.some((event) => event.position >= position)) this.page = await this.read(position - 1);
    return this.page.find((event) => event.position >= position);
  }

  private read(after: number): Promise<readonly StoredEvent[]> {
    const { ahead } = this;
    this.ahead = undefined;
    return ahead?.after === after ? ahead.events : this.tail.read(after);
  }

  private readAhead(): void {
    const after = this.page.at(-1)!.position;
    if (this.ahead?.after === after || after >= this.tail.head) return;
    const events = this.tail.read(after);
    // Callers of `from` get the failure.
    events.catch(() => undefined);
    this.ahead = { after, events };
  }
}
