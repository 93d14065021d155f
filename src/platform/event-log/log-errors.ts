import { defineErrors, type DomainError } from '../../kernel/domain-error.js';

export const logError = defineErrors({
  'event-id-conflict': { kind: 'conflict', title: 'The event id was used for another event' },
  'stream-version-conflict': { kind: 'conflict', title: 'The stream has another version' },
  'log-gone': { kind: 'not-found', title: 'The log does not exist' },
  'publish-queue-full': { kind: 'throttled', title: 'Too many events at once' },
});

export const logGone = (): DomainError => logError('log-gone', 'The topic does not exist (any more).');
