/** A glob is an exact text (`order.created`), or a prefix with `*` at its end (`order.*`). */
export const matchesGlob = (glob: string, text: string): boolean =>
  glob.endsWith('*') ? text.startsWith(glob.slice(0, -1)) : text === glob;

/** Whether `wide` matches everything that the glob `narrow` matches. */
export const globCovers = (wide: string, narrow: string): boolean =>
  wide.endsWith('*') ? narrow.replace(/\*$/, '').startsWith(wide.slice(0, -1)) : wide === narrow;
