import { defineErrors } from '../../../kernel/domain-error.js';

export const apiKeyError = defineErrors({
  'api-key-not-found': { kind: 'not-found', title: 'API key not found' },
  'api-key-invalid': { kind: 'invalid', title: 'The API key is not valid' },
  'api-key-limit-reached': { kind: 'conflict', title: 'The user has too many API keys' },
  'api-key-expired': { kind: 'conflict', title: 'The API key has expired' },
  'api-key-rotating': { kind: 'conflict', title: 'The API key is being rotated' },
  'api-key-throttled': { kind: 'throttled', title: 'Too many unknown API keys' },
  'api-key-exceeds-own': { kind: 'forbidden', title: 'The API key would be worth more than the one that makes it' },
});

export const apiKeyExceedsOwn = (detail: string): Error => apiKeyError('api-key-exceeds-own', detail);

export const keyScopeWithoutRights = (at: number): Error =>
  apiKeyError('api-key-invalid', 'The owner of the key has no rights in a tenant that it is for.', {
    errors: [{ pointer: `/scopes/${at}`, detail: 'names a tenant in which the owner of the key has no rights' }],
  });
