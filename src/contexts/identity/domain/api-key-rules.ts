import type { Changed } from '../../../kernel/aggregate.js';
import { apiKeyError } from './api-key-errors.js';
import { userNotFound } from './user.js';

/** What the store knows of the owner of a key that gets a secret. */
export interface OwnerFacts {
  readonly ownerExists: boolean;
  /** The keys before a new one, expired ones included. */
  readonly keys: number;
}

export const KEYS_PER_USER_MAX = 50;

export function checkApiKey(
  { ownerExists, keys }: OwnerFacts,
  { state, version }: Changed<{ readonly status: string }>,
  { userId }: { readonly userId: string },
): void {
  if (state.status !== 'issued') return;
  if (!ownerExists) throw userNotFound(userId);
  if (version > 1 || keys < KEYS_PER_USER_MAX) return;
  throw apiKeyError(
    'api-key-limit-reached',
    `A user has at most ${KEYS_PER_USER_MAX} keys, expired ones included: revoke one first.`,
  );
}
