import { Injectable } from '@nestjs/common';
import { LogReader, type LogRef } from '../../../platform/event-log/index.js';
import { parseTime } from '../domain/envelope.js';
import type { Place } from '../domain/place.js';
import { topicError } from '../domain/topic-errors.js';

/** Finds places in a log. */
@Injectable()
export class Places {
  constructor(private readonly reader: LogReader) {}

  /** The position after which reading goes on at the place: an event or position named is itself behind it. */
  async positionOf(log: LogRef, place: Place): Promise<number> {
    if (place === 'beginning') return 0;
    if (place === 'latest') return (await this.reader.bounds(log))?.lastPosition ?? 0;
    if ('position' in place) return place.position;
    if ('time' in place) return this.reader.positionBefore(log, parseTime(place.time));
    const event = await this.reader.byId(log, place.eventId);
    if (!event) throw topicError('place-not-found', `There is no event "${place.eventId}" in the topic.`);
    return event.position;
  }
}
