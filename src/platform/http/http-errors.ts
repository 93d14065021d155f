import { defineErrors } from '../../kernel/domain-error.js';

export const httpError = defineErrors({
  'internal-error': { kind: 'internal', title: 'Something went wrong on our side' },
  'invalid-request': { kind: 'invalid', title: 'The request is not valid' },
  'route-not-found': { kind: 'not-found', title: 'There is nothing at this address' },
  'method-not-allowed': { kind: 'method-not-allowed', title: 'This address has no such method' },
  'address-too-long': { kind: 'address-too-long', title: 'The address is too long' },
  'head-too-large': { kind: 'head-too-large', title: 'The head of the request is too large' },
  'expectation-failed': { kind: 'expectation-failed', title: 'The expectation of the request cannot be met' },
  'not-implemented': { kind: 'not-implemented', title: 'The server knows nothing of this kind' },
  'not-acceptable': { kind: 'not-acceptable', title: 'None of the accepted representations is available' },
  'unsupported-media-type': { kind: 'unsupported', title: 'The content type is not supported' },
  'body-too-large': { kind: 'too-large', title: 'The body is too large' },
  'request-timeout': { kind: 'timeout', title: 'The request took too long to arrive' },
  'cursor-invalid': { kind: 'invalid', title: 'The cursor is not valid here' },
  'idempotency-key-invalid': { kind: 'invalid', title: 'The Idempotency-Key is not valid' },
  'idempotency-key-reused': { kind: 'conflict', title: 'The Idempotency-Key was used for another request' },
  'idempotency-in-progress': { kind: 'conflict', title: 'A request with this Idempotency-Key is under way' },
  'idempotency-full': { kind: 'throttled', title: 'Too many answers are kept already' },
  'not-caught-up': { kind: 'unavailable', title: 'This instance has not seen the change yet' },
  stopping: { kind: 'unavailable', title: 'The instance stops' },
  overloaded: { kind: 'unavailable', title: 'The server has too much to do' },
});
