import { Injectable } from '@nestjs/common';
import { parseTime } from '../../../kernel/rfc3339.js';
import { compileFilter } from '../../../platform/cel/index.js';
import type { LogRef, ReadFilter } from '../../../platform/event-log/index.js';
import { Cursors } from '../../../platform/http/cursor.js';
import { invalid } from '../../../platform/http/validation.js';
import { Places } from '../application/places.js';
import type { EventQuery } from '../application/read-events.js';
import { parseBarePlace, type Place, type VisibleTypes } from '../domain/place.js';
import type { ReadEventsQuery } from './events.dto.js';

/** Turns the query string of a read into places and filters; the class of the query checked each by itself. */
@Injectable()
export class EventQueries {
  constructor(
    private readonly places: Places,
    private readonly cursors: Cursors,
  ) {}

  /** `types` are those that the reader may see. */
  async parse(log: LogRef, query: ReadEventsQuery, types: VisibleTypes, resumeAfter?: string): Promise<EventQuery> {
    const { type, key, stream } = query;
    const filter: ReadFilter = { types: type?.split(','), key, stream };
    const expression = query.filter === undefined ? undefined : compileFilter(query.filter);
    if (resumeAfter !== undefined && parseBarePlace(resumeAfter) === undefined)
      throw invalid([{ pointer: 'Last-Event-ID', detail: 'is no place in a topic' }]);
    const place = parseBarePlace(resumeAfter ?? query.after ?? 'beginning')!;
    const [after, before] = await Promise.all([
      this.lowerBound(log, query, place, types),
      this.upperBound(log, query, types),
    ]);
    const notBefore = Math.max(
      timeOf(query.from),
      typeof place === 'object' && 'time' in place ? timeOf(place.time) : 0,
    );
    const parsed = { order: query.order, after, before, notBefore, filter, expression, types };
    return this.resumed(parsed, query, scopeOf(log, query));
  }

  cursor(log: LogRef, query: ReadEventsQuery, position: number): string {
    return this.cursors.encode(scopeOf(log, query), position);
  }

  private resumed(parsed: EventQuery, { cursor }: ReadEventsQuery, scope: string): EventQuery {
    if (cursor === undefined) return parsed;
    const position = this.cursors.decode<number>(scope, cursor);
    return parsed.order === 'asc'
      ? { ...parsed, after: Math.max(parsed.after, position) }
      : { ...parsed, before: Math.min(parsed.before, position) };
  }

  private async lowerBound(log: LogRef, { from }: ReadEventsQuery, place: Place, types: VisibleTypes): Promise<number> {
    const byPlace = await this.places.positionOf(log, place, types);
    const byTime = from === undefined ? 0 : await this.places.positionOf(log, { time: from });
    return Math.max(byPlace, byTime);
  }

  private async upperBound(log: LogRef, { before, to }: ReadEventsQuery, types: VisibleTypes): Promise<number> {
    const place = before === undefined ? undefined : parseBarePlace(before)!;
    // What lies before a time ends with the position that it gives; other places are not read themselves.
    const own = typeof place === 'object' && 'time' in place ? 1 : 0;
    const byPlace = place === undefined ? Infinity : (await this.places.positionOf(log, place, types)) + own;
    const byTime = to === undefined ? Infinity : (await this.places.positionOf(log, { time: to })) + 1;
    return Math.min(byPlace, byTime, Number.MAX_SAFE_INTEGER);
  }
}

const timeOf = (text: string | undefined): number => (text === undefined ? 0 : parseTime(text));

/** A cursor is good for the same read only: same log, order and filters. */
function scopeOf({ topicUid }: LogRef, { cursor: _, limit: __, ...rest }: ReadEventsQuery): string {
  return `events ${topicUid} ${JSON.stringify(
    Object.entries(rest)
      .filter(([, value]) => value !== undefined)
      .toSorted(),
  )}`;
}
