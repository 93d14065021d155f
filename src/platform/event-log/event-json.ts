import type { StoredEvent } from './event.js';

/** What a reader gets besides the event: the ids of its topic. */
export interface TopicNames {
  readonly topicId: string;
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Most names need no escapes: the test is four times faster than JSON.stringify. */
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

const member = (name: string, value: string | null): string => (value === null ? '' : `,"${name}":${quoted(value)}`);
const numeric = (name: string, value: number | null): string => (value === null ? '' : `,"${name}":${value}`);

let lastMs = -1;
let lastIso = '';

/** Events of one flush share their time. */
function iso(ms: number): string {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastIso;
}

/** An event as reading and delivery show it. `data` and `metadata` are inserted as they are. Absent fields are left out. */
export function eventJson(event: StoredEvent, { topicId }: TopicNames): string {
  const recordedAt = iso(event.recordedAt);
  const time = event.occurredAt === null ? recordedAt : new Date(event.occurredAt).toISOString();
  return (
    `{"id":"${event.id}","type":${quoted(event.type)},"topic":"${topicId}","position":${event.position}` +
    member('key', event.key) +
    member('stream', event.stream) +
    numeric('streamVersion', event.streamVersion) +
    `,"time":"${time}","recordedAt":"${recordedAt}"` +
    numeric('schemaVersion', event.schemaVersion) +
    member('correlationId', event.correlationId) +
    member('causationId', event.causationId) +
    member('traceparent', event.traceparent) +
    member('tracestate', event.tracestate) +
    `,"publishedBy":"${event.publishedBy}"` +
    (event.metadata === null ? '' : `,"metadata":${event.metadata}`) +
    `,"data":${event.data}}`
  );
}

/** The same on one line: line breaks in a JSON text occur only between tokens, where a space means the same. */
export const eventJsonLine = (event: StoredEvent, names: TopicNames): string =>
  eventJson(event, names).replace(/[\r\n]+/g, ' ');
