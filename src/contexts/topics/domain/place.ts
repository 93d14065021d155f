import { judgeEventId, parseTime } from './envelope.js';

/** A place in a topic, as clients name it: by event, by position, by time of recording, or one of the ends. */
export type Place =
  'beginning' | 'latest' | { readonly eventId: string } | { readonly position: number } | { readonly time: string };

/** A place as a body gives it. Undefined: it is none. */
export function parsePlace(value: unknown): Place | undefined {
  if (value === 'beginning' || value === 'latest') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length !== 1) return undefined;
  const [name, given] = entries[0]!;
  if (name === 'eventId' && judgeEventId(given) === null) return { eventId: given as string };
  if (name === 'position' && Number.isSafeInteger(given) && (given as number) >= 0)
    return { position: given as number };
  if (name === 'time' && !Number.isNaN(parseTime(given))) return { time: given as string };
  return undefined;
}

/** A place as a query parameter or header gives it: the same as JSON, or bare: `42` is a position, other words are event ids. */
export function parseBarePlace(text: string): Place | undefined {
  if (/^\d{1,15}$/.test(text)) return { position: Number(text) };
  if (text.startsWith('{')) {
    try {
      return parsePlace(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
  return parsePlace(text) ?? parsePlace({ eventId: text });
}
