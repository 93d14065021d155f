/**
 * Everything that can be permitted, as `resource:action`. The place in the list is the bit in a mask of 64: new ones are added at the
 * end, none is ever removed.
 */
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

/** What stands for actions: one of them, or all of a resource. */
export const ACTION_PATTERNS: readonly string[] = [
  ...ACTIONS,
  ...new Set(ACTIONS.map((action) => `${action.split(':', 1)[0]}:*`)),
];

const BITS = new Map<string, number>(ACTIONS.map((action, bit) => [action, bit]));

/** Undefined: there is no such action. */
export const bitOf = (action: string): number | undefined => BITS.get(action);

/** A set of actions in two words of 32 bits: a check is one `and`. */
export interface ActionMask {
  readonly low: number;
  readonly high: number;
}

export const NO_ACTIONS: ActionMask = { low: 0, high: 0 };

export const isEmpty = ({ low, high }: ActionMask): boolean => low === 0 && high === 0;

export function maskOf(actions: Iterable<string>): ActionMask {
  let low = 0;
  let high = 0;
  for (const action of actions) {
    const bit = BITS.get(action);
    if (bit === undefined) continue;
    if (bit < 32) low |= 1 << bit;
    else high |= 1 << (bit - 32);
  }
  return { low, high };
}

export const hasBit = ({ low, high }: ActionMask, bit: number): boolean =>
  ((bit < 32 ? low : high) & (1 << (bit & 31))) !== 0;

export const without = (mask: ActionMask, { low, high }: ActionMask): ActionMask => ({
  low: mask.low & ~low,
  high: mask.high & ~high,
});

export const union = (a: ActionMask, b: ActionMask): ActionMask => ({ low: a.low | b.low, high: a.high | b.high });

export const intersection = (a: ActionMask, b: ActionMask): ActionMask => ({
  low: a.low & b.low,
  high: a.high & b.high,
});

export const actionsOf = (mask: ActionMask): Action[] => ACTIONS.filter((_, bit) => hasBit(mask, bit));

/** The actions that a pattern names today: an action, `topic:*` or `*`. Empty: it names none. */
export function expandActions(pattern: string): Action[] {
  if (pattern === '*') return [...ACTIONS];
  if (pattern.endsWith(':*')) return ACTIONS.filter((action) => action.startsWith(pattern.slice(0, -1)));
  return ACTIONS.filter((action) => action === pattern);
}
