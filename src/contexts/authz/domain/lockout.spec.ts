import { ACTIONS, actionsOf, type Action } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { withoutLockout } from './lockout.js';
import { Policy } from './policy.js';
import { predefinedRole } from './predefined-roles.js';
import { parsePattern } from './resource-pattern.js';
import { ruleOf, type Rule } from './rule.js';

const ACME = 'tenants/acme';
const role = (roleId: string, at = ACME): Rule =>
  ruleOf({ kind: 'role', id: roleId }, 'allow', predefinedRole(roleId)!.actions, parsePattern(at));
const denial = (actions: readonly string[], at = ACME): Rule =>
  ruleOf({ kind: 'grant', id: 'grt_1' }, 'deny', actions, parsePattern(at));
const may = (rules: readonly Rule[], action: Action, resource = ACME): boolean =>
  new Policy(rules).check(action, resource, { now: 0 }).allowed;

describe('a denial of everything', () => {
  const everything = denial(ACTIONS);

  it('leaves an owner the permissions to lift it, and nothing else', () => {
    const rules = withoutLockout('acme', [role('owner'), everything], []);
    expect(ACTIONS.filter((action) => may(rules, action))).toEqual(['permission:read', 'permission:grant']);
  });

  it('leaves an administrator of the system the same, in a tenant and in the system', () => {
    for (const rules of [
      withoutLockout('acme', [everything], [role('system-admin', 'system'), denial(ACTIONS, 'system')]),
      withoutLockout(SYSTEM_TENANT, [role('system-admin', 'system'), denial(ACTIONS, 'system')], []),
    ])
      expect(ACTIONS.filter((action) => may(rules, action))).toEqual(['permission:read', 'permission:grant']);
  });

  it.each([
    ['an administrator of the tenant', [role('admin')]],
    ['an owner of another tenant', [role('owner', 'tenants/other')]],
    ['an owner of a part of the tenant', [role('owner', `${ACME}/namespaces/shop`)]],
    [
      'a user who may do everything by a grant',
      [ruleOf({ kind: 'grant', id: 'owner' }, 'allow', ACTIONS, parsePattern(ACME))],
    ],
  ])('leaves %s nothing', (_, held) => {
    const rules = withoutLockout('acme', [...held, everything], []);
    expect(ACTIONS.filter((action) => may(rules, action))).toEqual([]);
  });

  it('by the system leaves an owner nothing', () => {
    const rules = withoutLockout('acme', [role('owner')], [everything]);
    expect(ACTIONS.filter((action) => may(rules, action))).toEqual([]);
  });
});

it('an unrelated denial stays the same object, which others share', () => {
  const shared = denial(['event:read']);
  expect(withoutLockout('acme', [role('owner'), shared], [])[1]).toBe(shared);
});

it('a denial of lifting denials and of other actions keeps the other actions', () => {
  const rules = withoutLockout('acme', [role('owner'), denial(['permission:grant', 'event:read'])], []);
  expect(actionsOf(rules[1]!.actions)).toEqual(['event:read']);
  expect(withoutLockout('acme', [role('owner'), denial(['permission:grant'])], [])).toHaveLength(1);
});

describe('a denial of a tenant', () => {
  const denied = (inSystem: readonly Rule[]): Action[] =>
    ACTIONS.filter((action) => !may(withoutLockout('acme', [denial(['audit:read', 'event:read'])], inSystem), action));

  it('does not apply to what the system allows in all of the tenant without condition', () => {
    expect(denied([role('system-auditor', 'system')])).not.toContain('audit:read');
    const grant = { kind: 'grant', id: 'grt_2' } as const;
    const onTenant = ruleOf(grant, 'allow', ['audit:read'], parsePattern('tenants/acme'));
    expect(denied([onTenant])).not.toContain('audit:read');
    for (const less of [
      ruleOf(grant, 'allow', ['audit:read'], parsePattern(ACME), { validUntil: '2100-01-01T00:00:00Z' }),
      ruleOf(grant, 'allow', ['audit:read'], parsePattern('tenants/other')),
    ])
      expect(denied([less])).toContain('audit:read');
  });

  it('applies to what only the tenant allows, also for users with a role in the system', () => {
    const rules = withoutLockout('acme', [role('viewer'), denial(['event:read'])], [role('system-auditor', 'system')]);
    expect(may(rules, 'event:read')).toBe(false);
  });
});
