import { GetApiKeyHandler, ListApiKeysHandler } from './api-keys.js';
import { CreateApiKeyHandler } from './create-api-key.js';
import { RevokeKeysOfUserHandler } from './user-key-revocation.js';
import { RevokeApiKeyHandler } from './revoke-api-key.js';
import { RotateApiKeyHandler } from './rotate-api-key.js';

export const API_KEY_HANDLERS = [
  CreateApiKeyHandler,
  RotateApiKeyHandler,
  RevokeApiKeyHandler,
  GetApiKeyHandler,
  ListApiKeysHandler,
  RevokeKeysOfUserHandler,
];
