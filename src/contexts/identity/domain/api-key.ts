import { serializedLog, type Aggregate } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { apiKeyError } from './api-key-errors.js';
import { checkApiKey, type OwnerFacts } from './api-key-rules.js';
import type { KeyScope } from '../../../kernel/access.js';

/*
 * none ──created──▶ issued ──rotated──▶ issued … ──revoked──▶ revoked
 *
 * A key has one secret, or two while an old one is phased out; expiry is a matter of time, not of events. Digests, address ranges and names
 * are not in the events: they are in the table api_key and go with the key. A name may say whose it is ("Jane's laptop").
 */

export interface ApiKeyRef {
  readonly userId: string;
  readonly keyId: string;
}

/** What the event log says about a key. Times are milliseconds since the epoch. */
export interface KeyFacts {
  readonly scopes: readonly KeyScope[] | null;
  readonly actions: readonly string[] | null;
  readonly allowedCidrsCount: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export type ApiKeyEvent =
  | { type: 'api-key.created'; data: ApiKeyRef & KeyFacts }
  | { type: 'api-key.rotated'; data: ApiKeyRef & { previousEndsAt: number; expiresAt: number | null } }
  | { type: 'api-key.revoked'; data: ApiKeyRef };

export interface Issued extends KeyFacts {
  readonly status: 'issued';
  readonly userId: string;
  /** When the previous secret stops working. */
  readonly previousEndsAt: number | null;
  readonly rotatedAt: number | null;
}

export type ApiKeyState = { readonly status: 'none' } | Issued | { readonly status: 'revoked' };

const DAY_MS = 86_400_000;
export const LIFETIME_MS_DEFAULT = 90 * DAY_MS;
export const LIFETIME_MS_MAX = 366 * DAY_MS;

export const apiKeyAggregate: Aggregate<ApiKeyState, ApiKeyEvent, ApiKeyRef, OwnerFacts> = {
  // No other change alters the number of keys of a user between the query and the commit.
  topicUid: serializedLog('apiKeys'),
  eventTypes: {
    'api-key.created': { version: 1 },
    'api-key.rotated': { version: 1 },
    'api-key.revoked': { version: 1 },
  },
  initial: { status: 'none' },
  check: checkApiKey,
  // Caches forget keys by the name of the stream.
  streamOf: ({ keyId }) => keyId,
  tenantOf: () => SYSTEM_TENANT,
  resourceOf: ({ userId, keyId }) => `users/${userId}/api-keys/${keyId}`,
  evolve(state, event, { recordedAt }): ApiKeyState {
    if (event.type === 'api-key.created') return issued(event.data);
    if (state.status !== 'issued') return state;
    if (event.type === 'api-key.revoked') return { status: 'revoked' };
    const { previousEndsAt, expiresAt } = event.data;
    return { ...state, previousEndsAt, expiresAt, rotatedAt: recordedAt };
  },
};

function issued({ userId, scopes, actions, allowedCidrsCount, createdAt, expiresAt }: ApiKeyRef & KeyFacts): Issued {
  const facts = { scopes, actions, allowedCidrsCount, createdAt, expiresAt };
  return { status: 'issued', userId, ...facts, previousEndsAt: null, rotatedAt: null };
}

export function createApiKey(state: ApiKeyState, ref: ApiKeyRef, facts: KeyFacts): ApiKeyEvent[] {
  if (state.status !== 'none') throw new Error(`The id ${ref.keyId} was generated twice.`);
  checkLifetime(facts.expiresAt, facts.createdAt);
  return [{ type: 'api-key.created', data: { ...ref, ...facts } }];
}

export interface Rotation {
  readonly graceMs: number;
  /** Undefined: the end does not change. */
  readonly expiresAt: number | null | undefined;
  /** The caller has shown with `If-Match` that they know of the last change. */
  readonly knowsLast: boolean;
}

/** A client that rotates twice within this time has not deployed the first secret: two concurrent requests, or a repeated one. */
const AT_ONCE_MS = 10_000;

/**
 * The old secret never outlives its own end, and works until the end of the grace period that the client was promised. There are two secrets at
 * most, so that no other rotation is accepted until then. Without a grace period all earlier secrets end, also one in its grace period: after a
 * leak no one knows which one leaked. A secret of a moment ago does not end, though: of two concurrent rotations, one would return a dead key.
 */
export function rotateApiKey(
  state: ApiKeyState,
  ref: ApiKeyRef,
  { graceMs, expiresAt, knowsLast }: Rotation,
  now: number,
): ApiKeyEvent[] {
  const key = existing(state, ref);
  const graceLeftMs = graceMs > 0 ? (key.previousEndsAt ?? now) - now : 0;
  const sinceLastMs = graceMs > 0 || knowsLast ? Infinity : Math.abs(now - (key.rotatedAt ?? -Infinity));
  if (graceLeftMs > 0) throw rotating(graceLeftMs, 'The previous secret is still in its grace period.');
  if (sinceLastMs < AT_ONCE_MS) throw rotating(AT_ONCE_MS - sinceLastMs, 'The key was rotated a moment ago.');
  if (expiresAt !== undefined) checkLifetime(expiresAt, now);
  const end = expiresAt === undefined ? key.expiresAt : expiresAt;
  if (end !== null && end <= now)
    throw apiKeyError('api-key-expired', 'The key has expired: give it a new expiresAt, or create another one.');
  const previousEndsAt = Math.min(now + graceMs, key.expiresAt ?? Infinity);
  return [{ type: 'api-key.rotated', data: { ...ref, previousEndsAt, expiresAt: end } }];
}

function rotating(leftMs: number, why: string): Error {
  const detail = `${why} Wait, or end all previous secrets with "gracePeriodSeconds": 0 and the version of the key in If-Match.`;
  return apiKeyError('api-key-rotating', detail, { retryAfterSeconds: leftMs / 1_000 });
}

export function revokeApiKey(state: ApiKeyState, ref: ApiKeyRef): ApiKeyEvent[] {
  existing(state, ref);
  return [{ type: 'api-key.revoked', data: { ...ref } }];
}

/**
 * Decides about a key that may have no event yet: the key of the first administrator is stored as a row with the account. Its first change also
 * records its creation.
 */
export function withCreation(
  state: ApiKeyState,
  ref: ApiKeyRef,
  known: KeyFacts,
  decide: (state: ApiKeyState) => ApiKeyEvent[],
): ApiKeyEvent[] {
  if (state.status !== 'none') return decide(state);
  const { scopes, actions, allowedCidrsCount, createdAt, expiresAt } = known;
  const data = { ...ref, scopes, actions, allowedCidrsCount, createdAt, expiresAt };
  return [{ type: 'api-key.created', data }, ...decide(issued(data))];
}

function checkLifetime(expiresAt: number | null, now: number): void {
  if (expiresAt === null || (expiresAt > now && expiresAt <= now + LIFETIME_MS_MAX)) return;
  const detail = expiresAt <= now ? 'must be in the future' : 'must be within 366 days, or null for never';
  throw apiKeyError('api-key-invalid', `expiresAt ${detail}.`, { errors: [{ pointer: '/expiresAt', detail }] });
}

function existing(state: ApiKeyState, ref: ApiKeyRef): Issued {
  if (state.status !== 'issued' || state.userId !== ref.userId) throw apiKeyNotFound(ref);
  return state;
}

export const apiKeyNotFound = ({ keyId }: ApiKeyRef): Error =>
  apiKeyError('api-key-not-found', `The user has no API key "${keyId}".`);
