import { defineErrors } from '../../../kernel/domain-error.js';

export const topicError = defineErrors({
  'topic-id-invalid': { kind: 'invalid', title: 'The topic id is not valid' },
  'topic-not-found': { kind: 'not-found', title: 'Topic not found' },
  'topic-exists': { kind: 'conflict', title: 'The topic exists already' },
  'event-invalid': { kind: 'invalid', title: 'An event is not valid' },
  'event-type-denied': { kind: 'forbidden', title: 'The permission is for other types of events' },
  'event-not-found': { kind: 'not-found', title: 'Event not found' },
  'event-too-large': { kind: 'too-large', title: 'An event is too large' },
  'batch-too-large': { kind: 'too-large', title: 'The batch is too large' },
  'stream-not-found': { kind: 'not-found', title: 'Stream not found' },
  'place-not-found': { kind: 'not-found', title: 'There is no such place in the topic' },
  'reading-cut-off': { kind: 'unavailable', title: 'The answer was cut off' },
  'stream-share-used': { kind: 'throttled', title: 'The share of open streams is used up' },
  'too-many-streams': { kind: 'unavailable', title: 'Too many open streams' },
});
