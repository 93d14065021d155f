import type { Reply, Request } from '../../../platform/http/request.js';
import { AccessGuard } from './access.guard.js';
import type { RouteAccess } from './route-access.js';

describe('a request that was let in', () => {
  const OWN: RouteAccess = { kind: 'own', permission: 'authz:check' };
  const principal = { id: 'key_1', kind: 'api-key', userId: 'usr_1' };

  /** Whose turn it takes. */
  function turnOf(params: object, route: RouteAccess = OWN): readonly string[] {
    const taken: string[] = [];
    const turns = { take: (owner: string) => (taken.push(owner), { end: () => undefined }) };
    const Guard = AccessGuard as unknown as new (...parts: object[]) => AccessGuard;
    const guard = new Guard({}, { principalOf: () => principal }, {}, {}, {}, turns, {});
    void guard.letIn(route, { principal, params } as unknown as Request, { raw: { closed: true } } as Reply);
    return taken;
  }

  it('takes a turn of the tenant, or without one a turn of the user, which all their keys share', () => {
    expect(turnOf({ tenantId: 'acme' })).toEqual(['acme']);
    expect(turnOf({})).toEqual(['user usr_1']);
  });

  it('takes none on a public route', () => {
    expect(turnOf({}, { kind: 'public' })).toEqual([]);
  });
});
