import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../api/client.js';

/** A route of the OpenAPI document. */
export interface Route {
  readonly method: string;
  /** `/tenants/{tenantId}` */
  readonly path: string;
  /** Undefined: public. */
  readonly permission: string | undefined;
  /** A list, which shows callers what they may see. */
  readonly forEach: boolean;
}

export interface Actor {
  readonly name: string;
  readonly client: Client;
  /** Undefined: the credentials are invalid. */
  readonly kind: 'user' | 'api-key' | undefined;
  readonly userId?: string;
  /** The roles of the caller, and where: a path, empty for the system. */
  readonly roles: readonly { readonly role: string; readonly at: string }[];
  /** The bounds of a key. */
  readonly scopes?: readonly string[];
  readonly actions?: readonly string[];
}

export type Places = Readonly<Record<string, string>>;

interface Documented {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { 'x-permission'?: string; 'x-permission-for-each'?: boolean }>>>
  >;
}

export function routesOf({ paths }: Documented): Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      permission: operation['x-permission'],
      forEach: operation['x-permission-for-each'] === true,
    })),
  );
}

/** The actions of each predefined role in the documented matrix. */
export function documentedRoles(): ReadonlyMap<string, ReadonlySet<string>> {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/permissions.md'), 'utf8');
  const table = /<!-- matrix:begin -->(.*)<!-- matrix:end -->/s.exec(text)![1]!;
  const [head, , ...rows] = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(
    head!
      .slice(1)
      .map((role, i) => [
        role,
        new Set(rows.filter((row) => row[i + 1] === 'x').map(([action]) => action!.replaceAll('`', ''))),
      ]),
  );
}

export const addressOf = ({ path }: Route, places: Places): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(places[name] ?? 'anything'));

const TYPES = [
  ['tenantId', 'tenants', 'tenant-not-found'],
  ['namespaceId', 'namespaces', 'namespace-not-found'],
  ['topicId', 'topics', 'topic-not-found'],
  ['consumerId', 'consumers', 'consumer-not-found'],
] as const;
export const OWN = /^(profile|session|password):|^authz:check$/;
const OWN_BY_KEY = new Set(['profile:read', 'authz:check']);

const isIn = (inner: string, outer: string): boolean => outer === '' || `${inner}/`.startsWith(`${outer}/`);
const touches = (a: string, b: string): boolean => isIn(a, b) || isIn(b, a);

/** The contract in its simplest form: the status that a request must get. No code of the product decides here. */
export class NaiveGuard {
  constructor(
    private readonly roles: ReadonlyMap<string, ReadonlySet<string>>,
    private readonly suspended: ReadonlySet<string>,
    private readonly passed: string,
  ) {}

  answerTo(actor: Actor, route: Route, places: Places): string {
    const { permission, path } = route;
    if (permission === undefined) return this.passed;
    if (actor.kind === undefined) return '401 unauthenticated';
    if (OWN.test(permission))
      return actor.kind === 'user' || OWN_BY_KEY.has(permission) ? this.passed : '403 permission-denied';
    const levels = levelsOf(path, places);
    const resource = levels.at(-1)?.resource ?? '';
    if (!this.isAllowed(actor, route, resource, places)) {
      const hidden = levels.find((level) => level.notFound && !this.sees(actor, level.resource));
      return hidden ? `404 ${hidden.notFound}` : '403 permission-denied';
    }
    if (!path.includes('{tenantId}') || !this.suspended.has(places['tenantId']!)) return this.passed;
    const looksAfterIt = permission.startsWith('tenant:') && this.holds(actor, 'tenant:suspend', '');
    return looksAfterIt ? this.passed : '403 tenant-suspended';
  }

  /** A resource is shown to callers that hold the action there. */
  maySee(actor: Actor, { actions, at }: { readonly actions: readonly string[]; readonly at: string }): boolean {
    return actions.some((action) => this.holds(actor, action, at) && this.reaches(actor, action, at));
  }

  private isAllowed(actor: Actor, { permission, forEach, path }: Route, resource: string, places: Places): boolean {
    const ofHisOwn = path.startsWith('/users/{userId}/api-keys') && ['me', actor.userId].includes(places['userId']);
    if (ofHisOwn) return this.reaches(actor, permission!, resource);
    if (this.holds(actor, permission!, resource) && this.reaches(actor, permission!, resource)) return true;
    if (!forEach) return false;
    if (resource === '') return true;
    const below = actor.roles.some(({ role, at }) => this.roles.get(role)!.has(permission!) && touches(at, resource));
    return below && (actor.scopes?.some((scope) => touches(scope, resource)) ?? true);
  }

  private holds({ roles }: Actor, action: string, resource: string): boolean {
    return roles.some(({ role, at }) => isIn(resource, at) && this.roles.get(role)!.has(action));
  }

  private reaches({ scopes, actions }: Actor, action: string, resource: string): boolean {
    return (scopes?.some((scope) => isIn(resource, scope)) ?? true) && (actions?.includes(action) ?? true);
  }

  private sees({ roles, scopes }: Actor, resource: string): boolean {
    return roles.some(({ at }) => touches(at, resource)) && (scopes?.some((scope) => touches(scope, resource)) ?? true);
  }
}

/** From the tenant down; users are resources only if no tenant is named. */
function levelsOf(
  path: string,
  places: Places,
): { readonly resource: string; readonly notFound: string | undefined }[] {
  if (!path.includes('{tenantId}'))
    return path.includes('{userId}') ? [{ resource: `users/${places['userId']}`, notFound: undefined }] : [];
  const named = TYPES.filter(([parameter]) => path.includes(`{${parameter}}`));
  return named.map(([, , notFound], i) => ({
    resource: named
      .slice(0, i + 1)
      .map(([parameter, type]) => `${type}/${places[parameter]}`)
      .join('/'),
    notFound,
  }));
}
