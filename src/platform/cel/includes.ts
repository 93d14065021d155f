import { charge } from './work-budget.js';

/** Up to this length the engine's search is faster even on the worst text. */
const shortPart = 16;

/**
 * Whether a text contains a part, in time linear in both. The engine's own search is a simplified Boyer-Moore: a part of
 * half the text's length, both from the event, costs it their product.
 */
export function includes(text: string, part: string): boolean {
  charge(4 + (text.length >> (part.length <= shortPart ? 1 : 0)) + part.length);
  return part.length <= shortPart ? text.includes(part) : search(text, part);
}

/** Knuth, Morris and Pratt. */
function search(text: string, part: string): boolean {
  if (part.length > text.length) return false;
  const borders = new Int32Array(part.length);
  for (let i = 1, border = 0; i < part.length; i++) {
    while (border > 0 && part.charCodeAt(i) !== part.charCodeAt(border)) border = borders[border - 1] as number;
    if (part.charCodeAt(i) === part.charCodeAt(border)) border++;
    borders[i] = border;
  }
  for (let i = 0, found = 0; i < text.length; i++) {
    while (found > 0 && text.charCodeAt(i) !== part.charCodeAt(found)) found = borders[found - 1] as number;
    if (text.charCodeAt(i) === part.charCodeAt(found)) found++;
    if (found === part.length) return true;
  }
  return false;
}
