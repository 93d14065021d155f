/*
 * Characters are code points, as JSON Schema and PostgreSQL count them: an emoji beyond the basic plane is one, not the two units that
 * JavaScript makes of it.
 */

/** Units are counted first: a text with no more units than allowed, which is nearly every one, is not iterated. */
export function exceedsCharacters(text: string, charactersMax: number): boolean {
  if (text.length <= charactersMax) return false;
  return text.length > 2 * charactersMax || charactersOf(text) > charactersMax;
}

export function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
