/** `any`: every version. */
export type Versions = 'any' | readonly number[];

/** What a change expects: one version; or what `If-Match` and `If-None-Match` demand together. */
export type ExpectedVersion =
  number | { readonly match?: Versions | undefined; readonly noneMatch?: Versions | undefined };

/** Counts only for a resource that exists: one that does not exist matches no version, whatever it had before. */
export interface Current {
  readonly version: number;
  readonly exists: boolean;
}

/** Whether only these versions meet it: after one change has passed, no later one does. */
export function namesVersions(expected: ExpectedVersion | undefined): boolean {
  return typeof expected === 'number' || (expected?.match !== undefined && expected.match !== 'any');
}

/** An undefined expectation is always met. */
export function isMet(expected: ExpectedVersion | undefined, current: Current): boolean {
  if (expected === undefined) return true;
  const { match, noneMatch } = typeof expected === 'number' ? { match: [expected], noneMatch: undefined } : expected;
  // A number is the count of events, also for a resource that does not exist (yet).
  const met = (versions: Versions): boolean =>
    versions === 'any' ? current.exists : versions.includes(current.version);
  return (match === undefined || met(match)) && (noneMatch === undefined || !met(noneMatch));
}
