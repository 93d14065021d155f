import { defineErrors } from '../../../kernel/domain-error.js';

/** Why the embedded PostgreSQL cannot be started: what, where, and what to do. Told at the start, never by HTTP. */
export const embeddedError = defineErrors({
  'embedded-in-use': { kind: 'unavailable', title: 'The data directory is in use' },
  'embedded-not-ours': { kind: 'internal', title: 'The data directory holds something else' },
  'embedded-other-version': { kind: 'internal', title: 'The data directory is of another PostgreSQL version' },
  'embedded-no-space': { kind: 'unavailable', title: 'The disk of the data directory is full' },
  'embedded-no-binaries': { kind: 'internal', title: 'There is no embedded PostgreSQL for this machine' },
  'embedded-no-user': { kind: 'internal', title: 'PostgreSQL needs an ordinary user to run as' },
  'embedded-start-failed': { kind: 'unavailable', title: 'PostgreSQL did not start' },
});
