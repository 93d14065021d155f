/** Everything that can be permitted, as `resource:action`. The place in the list is the bit in a mask: append new actions, never remove one. */
export const ACTIONS = [
  'tenant:create',
  'tenant:read',
  'tenant:update',
  'tenant:suspend',
  'tenant:delete',
  'namespace:read',
  'namespace:create',
  'namespace:update',
  'namespace:delete',
  'member:read',
  'member:manage',
  'role:read',
  'role:manage',
  'group:read',
  'group:manage',
  'permission:read',
  'permission:grant',
  'user:read',
  'user:create',
  'user:update',
  'user:suspend',
  'user:delete',
  'api-key:read',
  'api-key:create',
  'api-key:revoke',
  'topic:read',
  'topic:create',
  'topic:update',
  'topic:delete',
  'event:publish',
  'event:read',
  'consumer:read',
  'consumer:manage',
  'audit:read',
  'audit:export',
  'audit:manage',
  'metrics:read',
  'health:read',
  'system:read',
  'tenant:limit',
] as const;

export type Action = (typeof ACTIONS)[number];

/** Patterns for actions: one of them, or all of a resource. */
export const ACTION_PATTERNS: readonly string[] = [
  ...ACTIONS,
  ...new Set(ACTIONS.map((action) => `${action.split(':', 1)[0]}:*`)),
];

const BITS = new Map<string, number>(ACTIONS.map((action, bit) => [action, bit]));

/** Undefined: there is no such action. */
export const bitOf = (action: string): number | undefined => BITS.get(action);

/** A set of actions in words of 32 bits, as many as the list takes: a check is one `and`. */
export type ActionMask = readonly number[];

const WORDS = Math.ceil(ACTIONS.length / 32);

export const NO_ACTIONS: ActionMask = Array.from({ length: WORDS }, () => 0);

export const isEmpty = (mask: ActionMask): boolean => mask.every((word) => word === 0);

export const isSame = (a: ActionMask, b: ActionMask): boolean => isEmpty(without(a, b)) && isEmpty(without(b, a));

export const maskOf = (actions: Iterable<string>): ActionMask =>
  maskOfBits([...actions].map(bitOf).filter((bit) => bit !== undefined));

/** Longer than usual if a bit is beyond the end of the list. */
export function maskOfBits(bits: readonly number[]): ActionMask {
  const words = [...NO_ACTIONS];
  for (const bit of bits) {
    while (words.length <= bit >>> 5) words.push(0);
    words[bit >>> 5]! |= 1 << (bit & 31);
  }
  return words;
}

export const hasBit = (mask: ActionMask, bit: number): boolean => (mask[bit >>> 5]! & (1 << (bit & 31))) !== 0;

export const without = (a: ActionMask, b: ActionMask): ActionMask => a.map((word, i) => word & ~b[i]!);

export const union = (a: ActionMask, b: ActionMask): ActionMask =>
  a.length < b.length ? union(b, a) : a.map((word, i) => word | b[i]!);

export const intersection = (a: ActionMask, b: ActionMask): ActionMask => a.map((word, i) => word & b[i]!);

export const actionsOf = (mask: ActionMask): Action[] => ACTIONS.filter((_, bit) => hasBit(mask, bit));

/** The actions that a pattern names today: an action, `topic:*` or `*`. Empty: the pattern names none. */
export function expandActions(pattern: string): Action[] {
  if (pattern === '*') return [...ACTIONS];
  if (pattern.endsWith(':*')) return ACTIONS.filter((action) => action.startsWith(pattern.slice(0, -1)));
  return ACTIONS.filter((action) => action === pattern);
}
