import { Injectable } from '@nestjs/common';
import { LogReader, type LogRef } from '../../../platform/event-log/index.js';
import { parseTime } from '../domain/envelope.js';
import type { Place } from '../domain/place.js';
import { topicError } from '../domain/topic-errors.js';

/** The types of events that the reader may see; undefined: all. */
export type VisibleTypes = { permits(type: string): boolean } | undefined;

/** Finds places in a log. */
@Injectable()
export class Places {
  constructor(private readonly reader: LogReader) {}

  /**
   * The position before the place: who goes on after it begins with the event, position or time that is named. The next position to be
   * given out is the last that can be named: a place further on would look like one whose events were lost.
   */
  async before(log: LogRef, place: Place): Promise<number> {
    const position = await this.positionOf(log, place);
    const named = typeof place === 'object' && !('time' in place);
    if (!named) return position;
    const next = ((await this.reader.bounds(log))?.lastPosition ?? 0) + 1;
    if (position > next)
      throw topicError('place-not-found', `There is no position ${position} in the topic; the next one is ${next}.`);
    return Math.max(0, position - 1);
  }

  /**
   * The position of an event or position that is named; of a time, the last position before it; of an end, that end. An event that is
   * not visible to who asks is no place: he would learn that it is there.
   */
  async positionOf(log: LogRef, place: Place, visible?: VisibleTypes): Promise<number> {
    if (place === 'beginning') return 0;
    if (place === 'latest') return (await this.reader.bounds(log))?.lastPosition ?? 0;
    if ('position' in place) return place.position;
    if ('time' in place) return this.reader.positionBefore(log, parseTime(place.time));
    const event = await this.reader.byId(log, place.eventId);
    if (!event || visible?.permits(event.type) === false)
      throw topicError('place-not-found', `There is no event "${place.eventId}" in the topic.`);
    return event.position;
  }
}
