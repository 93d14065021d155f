/** `any`: of whatever version. */
export type Versions = 'any' | readonly number[];

/** What a change may meet: one version; or what `If-Match` and `If-None-Match` say together. */
export type ExpectedVersion =
  number | { readonly match?: Versions | undefined; readonly noneMatch?: Versions | undefined };

/** Of a resource that exists only then: to one that does not no version can match, whatever it was called before. */
export interface Current {
  readonly version: number;
  readonly exists: boolean;
}

/** Whether it is met by these versions only: once one has passed, nothing that comes later meets it. */
export function namesVersions(expected: ExpectedVersion | undefined): boolean {
  return typeof expected === 'number' || (expected?.match !== undefined && expected.match !== 'any');
}

/** An undefined expectation is met by everything. */
export function isMet(expected: ExpectedVersion | undefined, current: Current): boolean {
  if (expected === undefined) return true;
  const { match, noneMatch } = typeof expected === 'number' ? { match: [expected], noneMatch: undefined } : expected;
  // A number stands for the count of events, also of what does not exist (yet).
  const met = (versions: Versions): boolean =>
    versions === 'any' ? current.exists : versions.includes(current.version);
  return (match === undefined || met(match)) && (noneMatch === undefined || !met(noneMatch));
}
