import { matchesGlob } from '../../../kernel/glob.js';
import type { ReadFilter, StoredEvent } from '../../../platform/event-log/index.js';

/** Applies a filter as the store does, to events in memory. */
export function matchesReadFilter(
  { types, key, stream }: ReadFilter,
  event: Pick<StoredEvent, 'type' | 'key' | 'stream'>,
): boolean {
  if (key !== undefined && event.key !== key) return false;
  if (stream !== undefined && event.stream !== stream) return false;
  return types === undefined || types.some((type) => matchesGlob(type, event.type));
}
