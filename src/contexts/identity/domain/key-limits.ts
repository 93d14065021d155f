import type { Ceiling, KeyScope } from '../../../kernel/access.js';
import { expandActions } from '../../../kernel/actions.js';
import { rangeCovers } from '../../../kernel/address-ranges.js';
import type { FieldError } from '../../../kernel/domain-error.js';

/** The bounds of a key, besides the rights of its owner; null: none. */
export interface KeyLimits extends Ceiling {
  readonly allowedCidrs: readonly string[] | null;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null;
}

export const NO_LIMITS: KeyLimits = { scopes: null, actions: null, allowedCidrs: null, expiresAt: null };

/** An action, or `resource:*`. A bare `*` is not: a key without actions means the same. */
export const isActionPattern = (pattern: string): boolean => pattern !== '*' && expandActions(pattern).length > 0;

export function scopeCovers(wide: KeyScope, narrow: KeyScope): boolean {
  if (wide.tenant !== narrow.tenant) return false;
  if (wide.namespace === undefined) return true;
  return wide.namespace === narrow.namespace && (wide.topic === undefined || wide.topic === narrow.topic);
}

/** By pattern, not by what patterns stand for today: `event:*` is more than a list of all actions on events, since new ones may be added. */
export const actionCovers = (wide: string, narrow: string): boolean =>
  wide === narrow || (wide.endsWith(':*') && narrow.startsWith(wide.slice(0, -1)));

/** Where `wanted` exceeds `own`; empty: nowhere. */
export function limitExcesses(own: KeyLimits, wanted: KeyLimits): FieldError[] {
  const errors: FieldError[] = [];
  const compare = <T>(
    name: string,
    wide: readonly T[] | null,
    narrow: readonly T[] | null,
    covers: (one: T, other: T) => boolean,
  ): void => {
    if (wide === null) return;
    if (narrow === null)
      errors.push({ pointer: `/${name}`, detail: 'must be given: the calling key has such a bound' });
    for (const [i, item] of (narrow ?? []).entries())
      if (!wide.some((one) => covers(one, item)))
        errors.push({ pointer: `/${name}/${i}`, detail: 'exceeds the calling key' });
  };
  compare('scopes', own.scopes, wanted.scopes, scopeCovers);
  compare('actions', own.actions, wanted.actions, actionCovers);
  compare('allowedCidrs', own.allowedCidrs, wanted.allowedCidrs, rangeCovers);
  if (own.expiresAt !== null && (wanted.expiresAt === null || wanted.expiresAt > own.expiresAt))
    errors.push({ pointer: '/expiresAt', detail: 'must not be later than the end of the calling key' });
  return errors;
}
