import { parseTime } from '../../../kernel/rfc3339.js';
import { eventIdProblem } from './envelope.js';
import { topicError } from './topic-errors.js';

/** A place in a topic, as clients name it: by event, by position, by time of recording, or one of the ends. */
export type Place =
  | 'beginning'
  | 'latest'
  | { readonly eventId: string }
  /** `life`: that of the topic in which the position was seen. */
  | { readonly position: number; readonly life?: string }
  | { readonly time: string };

/** A topic that is created again under its old name assigns the same positions. */
export const lifeOf = ({ topicUid }: { readonly topicUid: string }): string => topicUid.slice(0, 8);

/** What a reader of a stream gets to continue from. The slash keeps it apart from event ids. */
export const resumeMark = (position: number, life: string): string => `${position}/${life}`;

/** The types of events that the reader may see; undefined: all. */
export type VisibleTypes = { permits(type: string): boolean } | undefined;

/**
 * The position after which a reader continues that asked for `after`, in a topic whose last position is `last`. A position that nothing
 * has yet is refused: what is recorded before it is assigned would be skipped. A reader that may see some types only does not learn how
 * far the topic has come: it continues after its end.
 */
export function resumePosition(after: number, last: number, visible: VisibleTypes): number {
  if (after <= last) return after;
  if (visible) return last;
  throw noSuchPosition(after, last === 0 ? 'it is empty' : `the last one is ${last}`);
}

export const noSuchPosition = (position: number, because: string): Error =>
  topicError('place-not-found', `There is no position ${position} in the topic; ${because}.`);

/** A place as a body gives it. Undefined: it is not one. */
export function parsePlace(value: unknown): Place | undefined {
  if (value === 'beginning' || value === 'latest') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length !== 1) return undefined;
  const [name, given] = entries[0]!;
  if (name === 'eventId' && eventIdProblem(given) === null) return { eventId: given as string };
  if (name === 'position' && Number.isSafeInteger(given) && (given as number) >= 0)
    return { position: given as number };
  if (name === 'time' && !Number.isNaN(parseTime(given))) return { time: given as string };
  return undefined;
}

/**
 * A place as a query parameter or header gives it: the same as JSON, or bare: `42` is a position, `42/1f3a9c1e` the mark of a stream, other
 * words are event ids.
 */
export function parseBarePlace(text: string): Place | undefined {
  const [, position, life] = /^(\d{1,15})(?:\/([0-9a-f]{8}))?$/.exec(text) ?? [];
  if (position !== undefined) return { position: Number(position), ...(life !== undefined && { life }) };
  if (text.startsWith('{')) {
    try {
      return parsePlace(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
  return parsePlace(text) ?? parsePlace({ eventId: text });
}
