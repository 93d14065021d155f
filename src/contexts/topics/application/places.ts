import { Injectable } from '@nestjs/common';
import { parseTime } from '../../../kernel/rfc3339.js';
import { LogReader, type LogRef } from '../../../platform/event-log/index.js';
import { lifeOf, noSuchPosition, type Place, type VisibleTypes } from '../domain/place.js';
import { topicError } from '../domain/topic-errors.js';

/** Where a subscriber starts. */
export interface StartingPoint {
  readonly startPosition: number;
  /** For a time, which may be in the future: events recorded before it are skipped, although they come after the position. */
  readonly notBefore?: number;
}

/** Finds places in a log. */
@Injectable()
export class Places {
  constructor(private readonly reader: LogReader) {}

  /**
   * The position before the place: a reader that continues after it starts with the named event, position or time. The next position to
   * be assigned is the last that can be named: a later place would look like one whose events were lost.
   */
  async startingPoint(log: LogRef, place: Place): Promise<StartingPoint> {
    const position = await this.positionOf(log, place);
    if (typeof place !== 'object') return { startPosition: position };
    if ('time' in place) return { startPosition: position, notBefore: parseTime(place.time) };
    const next = (await this.endOf(log)) + 1;
    if (position > next) throw noSuchPosition(position, `the next one is ${next}`);
    return { startPosition: Math.max(0, position - 1) };
  }

  /**
   * The position of the named event or position; of a time, the last position before it; of an end, that end. An event that the caller
   * may not see is not a place: the caller would learn that it exists.
   */
  async positionOf(log: LogRef, place: Place, visible?: VisibleTypes): Promise<number> {
    if (place === 'beginning') return 0;
    if (place === 'latest') return this.endOf(log);
    if ('time' in place) return this.reader.positionBefore(log, parseTime(place.time));
    if ('position' in place) {
      const { position, life = lifeOf(log) } = place;
      if (life === lifeOf(log)) return position;
      throw topicError('place-not-found', `The topic was created again after position ${position} was read.`);
    }
    const event = await this.reader.byId(log, place.eventId);
    if (!event || visible?.permits(event.type) === false)
      throw topicError('place-not-found', `There is no event "${place.eventId}" in the topic.`);
    return event.position;
  }

  private async endOf(log: LogRef): Promise<number> {
    return (await this.reader.heads(log.tenantId, [log.topicUid])).get(log.topicUid) ?? 0;
  }
}
