import type { Rule } from './rule.js';

/** How long an administrator of the system may open a tenant's events, to themselves or others. */
const BREAK_GLASS_MS = 3_600_000;

const endOf = ({ constraints }: Rule): number =>
  constraints?.validUntil === undefined ? Infinity : Date.parse(constraints.validUntil);

/** It will never hold again. */
export const hasExpired = (rule: Rule, now: number): boolean => endOf(rule) <= now;

/** Opens something in one tenant that it names, and ends within an hour. */
export function breaksGlass(rule: Rule, now: number): boolean {
  const [type, tenantId = '*'] = rule.resource.segments;
  return (
    rule.effect === 'allow' && type === 'tenants' && !tenantId.includes('*') && endOf(rule) <= now + BREAK_GLASS_MS
  );
}
