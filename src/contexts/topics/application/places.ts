import { Injectable } from '@nestjs/common';
import { parseTime } from '../../../kernel/rfc3339.js';
import { LogReader, type LogRef } from '../../../platform/event-log/index.js';
import { lifeOf, noSuchPosition, type Place, type VisibleTypes } from '../domain/place.js';
import { topicError } from '../domain/topic-errors.js';

/** Where somebody begins who is told of all that comes. */
export interface Beginning {
  readonly startPosition: number;
  /** Of a time, which may be to come: what is recorded before it is not meant, although it lies behind the position. */
  readonly notBefore?: number;
}

/** Finds places in a log. */
@Injectable()
export class Places {
  constructor(private readonly reader: LogReader) {}

  /**
   * The position before the place: who goes on after it begins with the event, position or time that is named. The next position to be
   * given out is the last that can be named: a place further on would look like one whose events were lost.
   */
  async beginning(log: LogRef, place: Place): Promise<Beginning> {
    const position = await this.positionOf(log, place);
    if (typeof place !== 'object') return { startPosition: position };
    if ('time' in place) return { startPosition: position, notBefore: parseTime(place.time) };
    const next = (await this.endOf(log)) + 1;
    if (position > next) throw noSuchPosition(position, `the next one is ${next}`);
    return { startPosition: Math.max(0, position - 1) };
  }

  /**
   * The position of an event or position that is named; of a time, the last position before it; of an end, that end. An event that is
   * not visible to who asks is no place: they would learn that it is there.
   */
  async positionOf(log: LogRef, place: Place, visible?: VisibleTypes): Promise<number> {
    if (place === 'beginning') return 0;
    if (place === 'latest') return this.endOf(log);
    if ('time' in place) return this.reader.positionBefore(log, parseTime(place.time));
    if ('position' in place) {
      const { position, life = lifeOf(log) } = place;
      if (life === lifeOf(log)) return position;
      throw topicError('place-not-found', `The topic was made anew since position ${position} was read.`);
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
