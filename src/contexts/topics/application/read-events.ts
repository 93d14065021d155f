import { Injectable } from '@nestjs/common';
import type { EventFilter } from '../../../platform/cel/index.js';
import {
  LogReader,
  Tails,
  type LogBounds,
  type LogRef,
  type ReadFilter,
  type StoredEvent,
} from '../../../platform/event-log/index.js';
import { resumePosition } from '../domain/place.js';
import { rethrowAsTopicError, topicGone } from '../domain/topic.js';
import { matchesReadFilter } from './read-filter.js';
import { ReadTurns } from './read-turns.js';

export interface EventQuery {
  readonly order: 'asc' | 'desc';
  /** Positions strictly between these are read. */
  readonly after: number;
  readonly before: number;
  /** A time, possibly in the future: events recorded before it are left out. */
  readonly notBefore?: number;
  readonly filter: ReadFilter;
  readonly expression: EventFilter | undefined;
  /** Types that the caller may see; undefined: all. */
  readonly types?: { permits(type: string): boolean } | undefined;
}

export interface EventSlice {
  readonly events: StoredEvent[];
  /** Where the next slice continues; null: everything was read. */
  readonly next: number | null;
}

const STREAM_SLICE = 500;
/** Where a slice ends, that of many events as well as that of large ones. */
const SLICE_BYTES_MAX = 4 * 1024 * 1024;
/**
 * By time, not by number: an expensive filter may take 60 ms for one event, and 64 of them blocked all requests for seconds. The time to
 * read the event's data is included.
 */
const TURN_MS = 10;

/** Reads of a topic as clients make them: by slices, streamed to the end, or followed live. */
@Injectable()
export class EventReader {
  constructor(
    private readonly reader: LogReader,
    private readonly tails: Tails,
    private readonly turns: ReadTurns,
  ) {}

  /** The event with this id; undefined: there is none that the reader may see. */
  async one(log: LogRef, id: string, types: EventQuery['types']): Promise<StoredEvent | undefined> {
    const { events } = await this.turns.page(log.tenantId, async () => {
      const event = await this.reader.byId(log, id);
      return { events: event ? [event] : [] };
    });
    return events.find(({ type }) => types?.permits(type) !== false);
  }

  /**
   * At most `limit` events and about 4 MiB. A slice may be shorter, even empty, and yet have a `next`: each is bounded in the time it takes
   * (`budgetMs`), so that a filter that matches little returns in pieces instead of scanning a topic in one request. Throws where the topic
   * is gone.
   */
  async slice(log: LogRef, query: EventQuery, limit: number, budgetMs: number): Promise<EventSlice> {
    const deadline = performance.now() + budgetMs;
    const events: StoredEvent[] = [];
    const bounds = await this.boundsOf(log);
    const forward = query.order === 'asc';
    let before = Math.min(query.before, bounds.lastPosition + 1);
    let after = Math.max(resumePosition(query.after, bounds.lastPosition, query.types), bounds.firstPosition - 1);
    let bytes = 0;
    while (after + 1 < before && events.length < limit && (events.length === 0 || performance.now() < deadline)) {
      const { order, filter, expression } = query;
      const range = { order, after, before, limit: limit - events.length, filter };
      const page = await this.turns.page(log.tenantId, () => this.reader.scan(log, range).catch(rethrowAsTopicError));
      const { matching, stoppedAt } = await this.filterInTurns(
        log,
        permitted(page.events, query),
        expression,
        deadline,
      );
      events.push(...matching);
      const at = stoppedAt ?? page.scannedTo;
      if (forward) after = at;
      else before = at;
      bytes += sizeOf(matching);
      if (performance.now() > deadline || bytes >= SLICE_BYTES_MAX) break;
    }
    return { events, next: after + 1 < before ? (forward ? after : before) : null };
  }

  /** Everything that matches, or the first `limit` of it, as long as the reader consumes it. */
  async *all(log: LogRef, query: EventQuery, budgetMs: number, limit = Infinity): AsyncGenerator<StoredEvent[]> {
    let rest: EventQuery = query;
    for (let left = limit; ;) {
      const { events, next } = await this.slice(log, rest, Math.min(STREAM_SLICE, left), budgetMs);
      if (events.length > 0) yield events;
      left -= events.length;
      if (next === null || left === 0) return;
      rest = rest.order === 'asc' ? { ...rest, after: next } : { ...rest, before: next };
    }
  }

  /** The same query, its start checked as `slice` does. For responses that begin before their first slice is read. */
  async withCheckedStart(log: LogRef, query: EventQuery): Promise<EventQuery> {
    const { lastPosition } = await this.boundsOf(log);
    return { ...query, after: resumePosition(query.after, lastPosition, query.types) };
  }

  /**
   * What matches after a position, then what is appended, until the signal fires. All followers of a topic share its tail. The
   * caller watches for the end of the topic.
   */
  async *follow(log: LogRef, query: EventQuery, signal: AbortSignal): AsyncGenerator<StoredEvent[]> {
    const tail = await this.tails.follow(log);
    try {
      for (let { after } = query; !signal.aborted;) {
        // Each follower reads history on its own: hundreds that started at once blocked the process for half a minute.
        const last = after;
        const { events: page } = await this.turns.page(log.tenantId, async () => ({ events: await tail.read(last) }));
        const { matching } = await this.filterInTurns(
          log,
          permitted(page, query).filter((event) => matchesReadFilter(query.filter, event)),
          query.expression,
          Infinity,
        );
        if (matching.length > 0) yield matching;
        after = page.at(-1)?.position ?? after;
        if (page.length === 0) await tail.waitBeyond(after, signal);
      }
    } finally {
      this.tails.unfollow(tail);
    }
  }

  private async boundsOf(log: LogRef): Promise<LogBounds> {
    const bounds = await this.reader.bounds(log);
    if (!bounds) throw topicGone();
    return bounds;
  }

  /** Filters in turns with all other readers; stops when the time is over. */
  private async filterInTurns(
    { tenantId }: LogRef,
    events: readonly StoredEvent[],
    expression: EventFilter | undefined,
    deadline: number,
  ): Promise<{ matching: StoredEvent[]; stoppedAt?: number }> {
    if (!expression) return { matching: [...events] };
    const matching: StoredEvent[] = [];
    for (let next = 0; next < events.length;) {
      const from = next;
      next = await this.turns.take(tenantId, () => filterTurn(events, from, expression, matching));
      if (performance.now() > deadline && next < events.length)
        return { matching, stoppedAt: events[next - 1]!.position };
    }
    return { matching };
  }
}

/** Approximate: text beyond ASCII counts as fewer bytes than it has. */
const sizeOf = (events: readonly StoredEvent[]): number => events.reduce((sum, { data }) => sum + data.length, 0);

function permitted(events: readonly StoredEvent[], { types, notBefore = 0 }: EventQuery): readonly StoredEvent[] {
  // Time order is position order.
  const meant =
    events[0] && events[0].recordedAt < notBefore ? events.filter((e) => e.recordedAt >= notBefore) : events;
  return types ? meant.filter(({ type }) => types.permits(type)) : meant;
}

/** Filters events from there on, for one turn; returns where it stopped. */
function filterTurn(
  events: readonly StoredEvent[],
  from: number,
  expression: EventFilter,
  matching: StoredEvent[],
): number {
  const end = performance.now() + TURN_MS;
  let i = from;
  do {
    const event = events[i]!;
    if (expression.matches(event)) matching.push(event);
    i++;
  } while (i < events.length && performance.now() < end);
  return i;
}
