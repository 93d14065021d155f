import fc from 'fast-check';
import type { Action } from '../../src/kernel/actions.js';
import { SYSTEM_TENANT } from '../../src/kernel/ids.js';
import { pathOf, RightsStage, TOPICS, USERS, type Step } from '../support/api/rights-stage.js';
import type { RightsChange } from '../support/api/rights-world.js';

const userId = fc.constantFrom(...USERS);
const tenantId = fc.constantFrom('acme', 'acme', SYSTEM_TENANT);
const groupId = fc.constantFrom('g0', 'g1');
const roleId = fc.constantFrom('subscriber', 'publisher', 'own');
const held = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), id: userId }),
  fc.record({ kind: fc.constant('group' as const), id: groupId }),
  fc.record({ kind: fc.constant('role' as const), id: roleId }),
);
const rightsChange: fc.Arbitrary<RightsChange> = fc.oneof(
  fc.record({ kind: fc.constantFrom('assign', 'assign', 'unassign'), tenantId, userId, roleId }),
  fc.record({ kind: fc.constant('remove'), tenantId, userId }),
  fc
    .record({ kind: fc.constantFrom('put', 'put', 'take'), tenantId, groupId, held })
    .map(({ held: { kind: part, id }, ...rest }) => ({ ...rest, part, id })),
  fc.record({ kind: fc.constant('disband'), tenantId, groupId }),
  fc.record({
    kind: fc.constant('redefine'),
    tenantId,
    roleId: fc.constant('own'),
    actions: fc.constantFrom<Action[]>(['event:read'], ['topic:read']),
  }),
  fc.record({
    kind: fc.constant('grant'),
    tenantId,
    principal: held,
    effect: fc.constantFrom('allow', 'allow', 'deny'),
    resource: fc.constantFrom('tenants/acme', pathOf('orders'), pathOf('ret*')),
    constraints: fc.constantFrom(null, null, { eventTypes: ['a.*'] }),
  }),
  fc.record({ kind: fc.constant('revoke'), tenantId, nth: fc.nat(9) }),
);
const plain: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('rights'), change: rightsChange }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('suspend', 'activate'), userId }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('react'), log: fc.constantFrom('permissions', 'users', 'consumers') }),
  },
);
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: plain },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('register', 'register', 'resume', 'redirect'),
      userId,
      id,
      topics: fc.subarray(TOPICS, { minLength: 1 }),
      meanwhile: fc.array(plain, { maxLength: 4, size: 'max' }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), id }) },
);

const REGISTRATIONS = USERS.map((runner, i): Step => {
  return { kind: 'register', userId: runner, id: 'abcd'[i]!, topics: TOPICS, meanwhile: [] };
});

it('whatever changes, in whatever order instances learn of it, a consumer is active only if the account it runs as may read all its topics', async () => {
  const seen = { active: 0, withdrawn: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20, size: 'max' }), async (steps) => {
      const stage = new RightsStage();
      for (const one of REGISTRATIONS) await stage.take(one);
      for (const one of steps) await stage.take(one);
      await stage.settle();
      for (const state of stage.consumers.values()) {
        expect([state, stage.mayRun(state)]).toEqual([state, true]);
        if (state.status === 'active') seen.active++;
        else if (state.status === 'paused') seen.withdrawn++;
      }
    }),
    { numRuns: 10_000 },
  );
  // Both occur often, or the property would prove nothing.
  expect(Math.min(seen.active, seen.withdrawn)).toBeGreaterThan(200);
});
