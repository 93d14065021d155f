import { breaksGlass, hasExpired } from './grant-expiry.js';
import type { Constraints } from './constraints.js';
import { parsePattern } from './resource-pattern.js';
import { ruleOf, type Rule } from './rule.js';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const until = (minutes: number): Constraints => ({ validUntil: new Date(NOW + minutes * 60_000).toISOString() });
const grant = (resource: string, constraints?: Constraints, effect: Rule['effect'] = 'allow'): Rule =>
  ruleOf({ kind: 'grant', id: 'grt_1' }, effect, ['event:read'], parsePattern(resource), constraints);
describe('a rule', () => {
  it('has ended from its end on, and never without one', () => {
    const resource = 'tenants/acme';
    const ends = [grant(resource), grant(resource, until(1)), grant(resource, until(0)), grant(resource, until(-1))];
    expect(ends.map((rule) => hasExpired(rule, NOW))).toEqual([false, false, true, true]);
  });

  it.each([
    ['tenants/acme', 60, true],
    ['tenants/acme/namespaces/shop', 60, true],
    ['tenants/acme', 61, false],
    ['tenants/acme', Infinity, false],
    ['tenants/*', 60, false],
    ['tenants/ac*', 60, false],
    ['tenants', 60, false],
    ['system', 60, false],
    ['users/usr_1', 60, false],
  ])('on %s for %s minutes breaks the glass: %s', (resource, minutes, breaks) => {
    const constraints = minutes === Infinity ? {} : until(minutes);
    expect(breaksGlass(grant(resource, constraints), NOW)).toBe(breaks);
    expect(breaksGlass(grant(resource, constraints, 'deny'), NOW)).toBe(false);
  });
});
