/** A glob is a text that has to be met exactly (`order.created`), or the beginning of some, with `*` at its end (`order.*`). */
export const matchesGlob = (glob: string, text: string): boolean =>
  glob.endsWith('*') ? text.startsWith(glob.slice(0, -1)) : text === glob;

/** Whether `wide` matches all that the glob `narrow` does. */
export const globCovers = (wide: string, narrow: string): boolean =>
  wide.endsWith('*') ? narrow.replace(/\*$/, '').startsWith(wide.slice(0, -1)) : wide === narrow;
