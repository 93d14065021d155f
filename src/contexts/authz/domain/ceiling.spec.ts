import fc from 'fast-check';
import { ACTIONS, actionsOf, type Action } from '../../../kernel/actions.js';
import type { Ceiling } from '../../../kernel/access.js';
import { boundsOf, CompiledCeiling } from './ceiling.js';
import { Policy } from './policy.js';
import { parsePattern } from './resource-pattern.js';
import { ruleOf, type Rule } from './rule.js';

const part = (bounds: Ceiling, actions: readonly string[], resource: string): string[] =>
  boundsOf(bounds)
    .map((bound) => bound.part(ruleOf({ kind: 'grant', id: 'grt_1' }, 'allow', actions, parsePattern(resource))))
    .filter((rule) => rule !== undefined)
    .map((rule) => `${actionsOf(rule.actions).join()} ${rule.resource.text}`);

const may = (rules: readonly Rule[], action: Action, resource: string): boolean =>
  new Policy(rules).check(action, resource, { now: 0 }).allowed;

describe('the part of a rule within the bounds of a key', () => {
  const SHOP = { tenant: 'acme', namespace: 'shop' };

  it.each<[string, Ceiling, string, string[]]>([
    [
      'all of it, without bounds',
      { scopes: null, actions: null },
      'tenants/acme',
      ['event:read,audit:read tenants/acme'],
    ],
    ['the actions of both', { scopes: null, actions: ['event:*'] }, 'tenants/acme', ['event:read tenants/acme']],
    [
      'the narrower place',
      { scopes: [SHOP], actions: ['event:*'] },
      'tenants/acme',
      ['event:read tenants/acme/namespaces/shop'],
    ],
    [
      'the rule, where it is narrower',
      { scopes: [{ tenant: 'acme' }], actions: ['event:*'] },
      'tenants/acme/namespaces/shop/topics/orders',
      ['event:read tenants/acme/namespaces/shop/topics/orders'],
    ],
    [
      'the rule, where they only overlap',
      { scopes: [SHOP], actions: ['event:*'] },
      'tenants/acme/namespaces/*/topics/orders',
      ['event:read tenants/acme/namespaces/*/topics/orders'],
    ],
    ['nothing of another place', { scopes: [{ tenant: 'other' }], actions: null }, 'tenants/acme', []],
    ['nothing of other actions', { scopes: null, actions: ['topic:*'] }, 'tenants/acme', []],
  ])('is %s', (_, bounds, resource, expected) => {
    expect(part(bounds, ['event:read', 'audit:read'], resource)).toEqual(expected);
  });

  it('allows all that the rule and the bounds allow', () => {
    const place = fc.constantFrom(
      'system',
      'tenants/acme',
      'tenants/*/namespaces/shop',
      'tenants/acme/namespaces/s*/topics/o',
    );
    const scope = fc.constantFrom({ tenant: 'acme' }, SHOP, { ...SHOP, topic: 'o' }, { tenant: 'other' });
    const bounds = fc.record({
      scopes: fc.option(fc.array(scope, { minLength: 1, maxLength: 2 })),
      actions: fc.option(fc.constantFrom(['event:*'], ['topic:read', 'event:read'])),
    });
    const asked = fc.constantFrom(
      'tenants/acme',
      'tenants/acme/namespaces/shop/topics/o',
      'tenants/other/namespaces/shop',
    );
    fc.assert(
      fc.property(bounds, place, asked, fc.constantFrom<Action>(...ACTIONS), (limits, where, resource, action) => {
        const rule = ruleOf({ kind: 'grant', id: 'grt_1' }, 'allow', ACTIONS, parsePattern(where));
        const parts = boundsOf(limits).flatMap((bound) => bound.part(rule) ?? []);
        const both = may([rule], action, resource) && new CompiledCeiling(limits).covers(action, resource);
        expect([both, may(parts, action, resource)]).not.toEqual([true, false]);
      }),
    );
  });
});
