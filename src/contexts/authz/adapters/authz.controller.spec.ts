import { jest } from '@jest/globals';
import fc from 'fast-check';
import { ACTIONS, type Action } from '../../../kernel/actions.js';
import type { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { AuditTrail } from '../../../platform/audit/index.js';
import type { ManagementWatch } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import type { ApiKeyDirectory, RequestAuthentication } from '../../identity/index.js';
import { tenantNotFound, type FairTurns, type TenantGates } from '../../tenancy/index.js';
import { Authorizer } from '../application/authorizer.js';
import { CheckPermissionHandler } from '../application/check-permission.js';
import { ResourceVisibility } from '../application/resource-visibility.js';
import { PermissionRates } from '../application/permission-rates.js';
import { Policies } from '../application/policies.js';
import {
  RuleStore,
  type GrantView,
  type MemberCatalog,
  type PrincipalRules,
  type TenantRules,
} from '../application/ports.js';
import type { Constraints } from '../domain/constraints.js';
import { AccessGuard } from './access.guard.js';
import { AuthzController } from './authz.controller.js';
import type { CheckResultDto } from './authz-responses.dto.js';
import type { CheckBody } from './authz.dto.js';
import type { RouteAccess } from './route-access.js';

const NOW = Date.parse('2026-03-04T12:00:00Z');
const USER = 'usr_1';
const ROOT: Principal = { id: 'usr_root', kind: 'user', userId: 'usr_root' };
const GATES: Readonly<Record<string, string>> = { acme: 'active', halted: 'suspended', going: 'deleting' };
const TENANTS = ['acme', 'halted', 'going', 'none'];
const TYPES = ['order.paid', 'order.x', 'invoice.paid', 'other'];
const ADDRESSES = ['192.0.2.1', '192.0.2.2'];

const NO_RULES: TenantRules = { roles: [], groupRoles: [], nesting: [], grants: [] };
const NOBODY: PrincipalRules = { roles: [], groups: [], grants: [] };

interface World {
  readonly principal: Principal;
  readonly tenant: TenantRules;
  readonly own: PrincipalRules;
  readonly global: PrincipalRules;
  readonly ofKey: readonly GrantView[];
}

/** One request, as its route has it. */
interface Ask {
  readonly action: Action;
  readonly params: Readonly<Record<string, string>>;
  readonly eventType: string | undefined;
  readonly address: string;
}

const some = <T>(of: readonly T[], most: number): fc.Arbitrary<T[]> => fc.subarray(of.slice(), { maxLength: most });
const limits: fc.Arbitrary<Constraints | null> = fc.option(
  fc.record(
    {
      validUntil: fc.constantFrom('2026-02-01T00:00:00Z', '2027-01-01T00:00:00Z'),
      eventTypes: fc.constantFrom(['order.*'], ['order.paid'], ['invoice.*', 'order.x']),
      sourceCidrs: fc.constantFrom(['192.0.2.1/32'], ['192.0.2.0/24']),
      rateLimit: fc.constant({ limit: 1, windowSeconds: 3_600 }),
    },
    { requiredKeys: [] },
  ),
  { freq: 2 },
);
const grantsTo = (kind: string, ids: readonly string[], most: number, resources: readonly string[]) =>
  fc
    .array(
      fc.record({
        id: fc.constantFrom(...ids),
        effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
        actions: some(ACTIONS, ACTIONS.length).map((actions) => [...new Set<string>([...actions, 'event:publish'])]),
        resource: fc.constantFrom(...resources),
        constraints: limits,
      }),
      { maxLength: most },
    )
    .map((all) =>
      all.map(({ id, ...grant }, i): GrantView => ({
        ...grant,
        tenantId: resources.includes('system') ? SYSTEM_TENANT : 'any',
        grantId: `${kind}-${resources[0]}-${i}`,
        principal: { kind: kind as GrantView['principal']['kind'], id },
        version: 1,
        createdAt: 0,
      })),
    );
const PLACES = ['tenants/*', 'tenants/*/namespaces/shop', 'tenants/*/namespaces/*/topics/orders*'];
const GLOBAL = ['system', 'tenants/*', 'tenants/halted', 'tenants/acme/namespaces/shop/topics/orders'];
const roles = some(['viewer', 'developer', 'publisher', 'clerk', 'owner'], 2).map((ids) =>
  ids.map((roleId) => ({ roleId, scope: '' })),
);
const tenantRules: fc.Arbitrary<TenantRules> = fc
  .record({
    clerk: some(ACTIONS, 8),
    groupRoles: some(['viewer', 'publisher', 'clerk'], 1),
    nested: fc.boolean(),
    toGroups: grantsTo('group', ['inner', 'outer'], 2, PLACES),
    toRoles: grantsTo('role', ['viewer', 'publisher'], 1, PLACES),
  })
  .map(({ clerk, groupRoles, nested, toGroups, toRoles }) => ({
    roles: [{ roleId: 'clerk', actions: clerk }],
    groupRoles: groupRoles.map((roleId) => ({ groupId: 'outer', roleId })),
    nesting: nested ? [{ groupId: 'outer', childId: 'inner' }] : [],
    grants: [...toGroups, ...toRoles],
  }));
const principalRules = fc.record({
  member: fc.boolean(),
  roles,
  groups: some(['inner', 'outer'], 1),
  grants: grantsTo('user', [USER], 3, PLACES),
});
const globalRules = fc.record({
  member: fc.constant(false),
  roles: some(['system-admin', 'system-operator', 'system-auditor'], 1).map((ids) =>
    ids.map((roleId) => ({ roleId, scope: '' })),
  ),
  groups: fc.constant([]),
  grants: grantsTo('user', [USER], 2, GLOBAL),
});
const SCOPES = [
  { tenant: 'acme' },
  { tenant: 'halted' },
  { tenant: 'acme', namespace: 'shop' },
  { tenant: 'acme', namespace: 'shop', topic: 'orders' },
];
const ceiling = fc.record({
  scopes: fc.option(some(SCOPES, 3)),
  actions: fc.option(fc.constantFrom(['event:*'], ['tenant:*', 'event:read'], ['api-key:*'])),
});
const principal: fc.Arbitrary<Principal> = fc.oneof(
  fc.constant<Principal>({ id: USER, kind: 'user', userId: USER }),
  fc.constant<Principal>({ id: 'key_1', kind: 'api-key', userId: USER }),
  ceiling.map((bounds): Principal => ({ id: 'key_1', kind: 'api-key', userId: USER, ceiling: bounds })),
);
const world: fc.Arbitrary<World> = fc.record({
  principal,
  tenant: tenantRules,
  own: principalRules,
  global: globalRules,
  ofKey: grantsTo('apiKey', ['key_1'], 3, PLACES),
});
/** Both sides have grants alone, so that the limits of both meet often. */
const narrowWorld: fc.Arbitrary<World> = fc
  .record({ grants: grantsTo('user', [USER], 3, PLACES), ofKey: grantsTo('apiKey', ['key_1'], 3, PLACES) })
  .map(({ grants, ofKey }) => ({
    principal: { id: 'key_1', kind: 'api-key', userId: USER, ceiling: { scopes: [], actions: null } },
    tenant: NO_RULES,
    own: { ...NOBODY, grants },
    global: NOBODY,
    ofKey,
  }));
const ask: fc.Arbitrary<Ask> = fc.record({
  action: fc.constantFrom<Action>(
    ...(['tenant:read', 'topic:read', 'api-key:create', 'event:read'] as const),
    ...(['event:publish', 'event:publish', 'event:publish'] as const),
  ),
  params: fc
    .tuple(fc.constantFrom(...TENANTS), fc.constantFrom('orders', 'returns'))
    .map(([tenantId, topicId]) => ({ tenantId, namespaceId: 'shop', topicId })),
  eventType: fc.constantFrom(undefined, ...TYPES),
  address: fc.constantFrom(...ADDRESSES),
});

const ADMIN: PrincipalRules = { ...NOBODY, roles: [{ roleId: 'system-admin', scope: '' }] };

class WorldRules extends RuleStore {
  constructor(private readonly given: World) {
    super();
  }

  /** The same in each tenant: what is granted by a wildcard there holds in it. */
  async tenantRules(tenantId: string): Promise<TenantRules> {
    return tenantId === SYSTEM_TENANT || tenantId === 'none' ? NO_RULES : this.given.tenant;
  }

  async principalRules(tenantId: string, { id }: { id: string }): Promise<PrincipalRules> {
    const { own, global, ofKey } = this.given;
    if (tenantId === SYSTEM_TENANT) return id === ROOT.id ? ADMIN : id === USER ? global : NOBODY;
    if (id === ROOT.id || tenantId === 'none') return NOBODY;
    return id === USER ? own : { ...NOBODY, grants: ofKey };
  }

  within = (): RuleStore => this;
}

/** The guard and the controller over the same rules, and the caller. */
function stage(given: World) {
  const watch = { ageMs: 0 } as unknown as ManagementWatch;
  const gates = {
    of: (tenantId: string) => {
      const state = GATES[tenantId];
      return state ? { tenantUid: '0', state, limits: {} } : null;
    },
  } as unknown as TenantGates;
  const clock: Clock = { now: () => NOW };
  const rates = new PermissionRates(clock);
  const hidden = new ResourceVisibility();
  hidden.register('tenants', tenantNotFound);
  const policies = new Policies(new WorldRules(given), watch);
  const authorizer = new Authorizer(policies, gates, rates, hidden, {} as MemberCatalog, {} as never, {} as never);
  const turns = { take: () => ({ end: () => undefined }) } as unknown as FairTurns;
  const guard = new AccessGuard(
    undefined as never,
    { principalOf: (request: Request) => (request.principal = given.principal) } as unknown as RequestAuthentication,
    undefined as never,
    authorizer,
    { note: () => undefined } as unknown as AuditTrail,
    turns,
    clock,
  );
  const keys = { principalOf: async () => given.principal } as unknown as ApiKeyDirectory;
  const controller = new AuthzController(new CheckPermissionHandler(authorizer, keys) as never, clock);
  const explained = (body: CheckBody, by: Principal) => controller.checkPermission(body, { principal: by } as Request);
  return { guard, explained, spend: jest.spyOn(rates, 'spend') };
}

const IN_TENANT = [
  { type: 'tenants', parameter: 'tenantId' },
  { type: 'namespaces', parameter: 'namespaceId' },
  { type: 'topics', parameter: 'topicId' },
];

function routeOf(action: Action): Extract<RouteAccess, { kind: 'permission' }> {
  const path = action === 'tenant:read' ? IN_TENANT.slice(0, 1) : IN_TENANT;
  const users = [{ type: 'users', parameter: 'userId' }];
  return { kind: 'permission', action, list: false, path: action === 'api-key:create' ? users : path };
}

function requestOf({ action, params, address: ip }: Ask): Request {
  return { params: action === 'api-key:create' ? { userId: USER } : params, ip, headers: {} } as unknown as Request;
}

const REFUSED = 'refused';
const CLOSED = new Set(['tenant-suspended', 'tenant-deleting']);

/** What the guard, and after it the route, makes of the request. */
async function routeSays(
  { guard, spend }: ReturnType<typeof stage>,
  asked: Ask,
): Promise<{ answer: string; limited?: boolean; spent?: boolean }> {
  const { action, eventType } = asked;
  const request = requestOf(asked);
  try {
    await guard.letIn(routeOf(action), request, { raw: { closed: true } } as unknown as Reply);
  } catch (error) {
    const { code } = error as { code: string };
    return { answer: CLOSED.has(code) ? code : REFUSED };
  }
  const { access } = request;
  const isRefused = (type: string): boolean =>
    action === 'event:publish' ? access!.refusedType([{ type }]) !== undefined : access!.types?.permits(type) === false;
  if (eventType !== undefined && action.startsWith('event:') && isRefused(eventType)) return { answer: REFUSED };
  return { answer: 'allowed', limited: access!.types !== undefined, spent: spend.mock.calls.length > 0 };
}

function bodyOf({ action, params, eventType, address }: Ask, principalAsked?: CheckBody['principal']): CheckBody {
  const { tenantId, namespaceId, topicId } = params;
  const tenant = `tenants/${tenantId}`;
  const inTenant = action === 'tenant:read' ? tenant : `${tenant}/namespaces/${namespaceId}/topics/${topicId}`;
  const context = action.startsWith('event:') ? { eventType, address } : { address };
  const resource = action === 'api-key:create' ? `users/${USER}` : inTenant;
  return { action, resource, context, ...(principalAsked && { principal: principalAsked }) };
}

const verdictOf = ({ allowed, reason }: CheckResultDto): string =>
  allowed ? 'allowed' : CLOSED.has(reason) ? reason : REFUSED;

it('the explanation of a request is what the guard and the route do with it, for every caller', async () => {
  const seen = new Map<string, number>();
  const note = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(fc.oneof(world, narrowWorld), ask, async (given, asked) => {
      const one = stage(given);
      const { kind, id } = given.principal;
      const told = await one.explained(bodyOf(asked), given.principal);
      const named = kind === 'user' ? { user: id } : { apiKey: id };
      const toAdministrator = await one.explained(bodyOf(asked, named), ROOT);
      const done = await routeSays(one, asked);
      expect([verdictOf(told), verdictOf(toAdministrator)]).toEqual([done.answer, done.answer]);
      note(done.answer);
      if (!told.allowed || (asked.action.startsWith('event:') && asked.eventType === undefined)) return;
      // A read is counted, and limited, without knowing the types that it meets.
      const reading = asked.action === 'event:read';
      const open = await one.explained(bodyOf({ ...asked, eventType: undefined }), given.principal);
      expect((reading ? open : told).rateLimited).toBe(done.spent);
      expect(done.limited).toBe(open.limitedToTypes);
      note(done.spent ? 'at a rate' : 'at no rate');
      if (open.limitedToTypes) note('by types');
    }),
    { numRuns: 3_000 },
  );
  const kinds = ['allowed', REFUSED, 'tenant-suspended', 'tenant-deleting', 'at a rate', 'at no rate', 'by types'];
  expect(kinds.filter((what) => (seen.get(what) ?? 0) < 5)).toEqual([]);
}, 60_000);
