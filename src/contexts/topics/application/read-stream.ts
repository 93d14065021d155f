import { Injectable } from '@nestjs/common';
import { LogReader, type LogRef, type StoredEvent } from '../../../platform/event-log/index.js';
import { rethrowAsTopicError } from '../domain/topic.js';
import type { VisibleTypes } from '../domain/place.js';
import { ReadTurns } from './read-turns.js';

const TYPES_PAGE = 10_000;
/** Keeps the statements few where much is hidden. */
const PAGE_MIN = 100;

export interface StreamSlice {
  readonly events: readonly StoredEvent[];
  /** The version after which the next slice begins; null: this was the last. */
  readonly next: number | null;
}

/**
 * Streams as their readers see them. For readers that may see some types of events only, a stream ends with the last visible event, and a
 * stream without visible events does not exist: they do not learn how much else there is, or that there is anything.
 */
@Injectable()
export class StreamReader {
  constructor(
    private readonly reader: LogReader,
    private readonly turns: ReadTurns,
  ) {}

  /** 0: there is no such stream. Types alone are read, so that a million hidden events are a hundred short statements. */
  async version(log: LogRef, stream: string, types: VisibleTypes): Promise<number> {
    if (!types) return this.reader.streamVersion(log, stream);
    for (let before = Number.MAX_SAFE_INTEGER; ;) {
      const below = before;
      const { events: page } = await this.turns.page(log.tenantId, async () => ({
        events: await this.reader.streamTypes(log, stream, below, TYPES_PAGE),
      }));
      const last = page.find(({ type }) => types.permits(type));
      if (last) return last.version;
      if (page.length < TYPES_PAGE) return 0;
      before = page.at(-1)!.version;
    }
  }

  /** At most `limit` events up to `version`; fewer, even none, where hidden ones took longer than the budget. */
  async slice(
    log: LogRef,
    stream: string,
    { after, version, limit }: { readonly after: number; readonly version: number; readonly limit: number },
    types: VisibleTypes,
    budgetMs: number,
  ): Promise<StreamSlice> {
    const deadline = performance.now() + budgetMs;
    const events: StoredEvent[] = [];
    let at = after;
    for (let more = true; more;) {
      const most = types ? Math.max(limit, PAGE_MIN) : limit;
      const from = at;
      const { events: page } = await this.turns.page(log.tenantId, async () => ({
        events: await this.reader.stream(log, stream, from, most).catch(rethrowAsTopicError),
      }));
      events.push(...page.filter(({ type }) => types?.permits(type) !== false));
      at = page.at(-1)?.streamVersion ?? version;
      more = types !== undefined && at < version && events.length < limit && performance.now() < deadline;
    }
    const shown = events.slice(0, limit);
    if (shown.length < events.length) at = shown.at(-1)!.streamVersion!;
    return { events: shown, next: at < version ? at : null };
  }
}
