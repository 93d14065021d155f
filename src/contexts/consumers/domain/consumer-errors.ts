import { defineErrors, type FieldError } from '../../../kernel/domain-error.js';

export const consumerError = defineErrors({
  'consumer-id-invalid': { kind: 'invalid', title: 'The consumer id is not valid' },
  'consumer-not-found': { kind: 'not-found', title: 'Consumer not found' },
  'consumer-exists': { kind: 'conflict', title: 'The consumer exists already' },
  'consumer-invalid': { kind: 'invalid', title: 'The consumer is not valid' },
  'consumer-right-conditional': { kind: 'forbidden', title: 'A consumer takes a right without condition' },
  'consumer-secrets-unreadable': { kind: 'conflict', title: 'The secrets of the consumer cannot be read' },
});

export const invalidConsumer = (...errors: FieldError[]): Error =>
  consumerError('consumer-invalid', errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; '), { errors });
