import type { Reflector } from '@nestjs/core';
import type { Action } from '../../../kernel/actions.js';
import { OWN_PERMISSIONS } from '../../../kernel/access.js';
import { NOT_IN_SYSTEM, PERMISSION, PUBLIC, type RequiredPermission } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { authzError } from '../domain/authz-errors.js';

/** What a route requires, computed once. */
export type RouteAccess =
  | { readonly kind: 'public' }
  | { readonly kind: 'own'; readonly permission: string }
  | {
      readonly kind: 'permission';
      readonly action: Action;
      readonly list: boolean;
      readonly notInSystem?: boolean;
      /** The paths of the resource and of those above it, from the tenant down; empty: the system. */
      readonly path: readonly PathSegment[];
    };

interface PathSegment {
  readonly type: string;
  readonly parameter: string;
}

const TYPE_OF: Readonly<Record<string, string>> = {
  tenantId: 'tenants',
  namespaceId: 'namespaces',
  topicId: 'topics',
  consumerId: 'consumers',
  userId: 'users',
};

/** `url` is the template of the route, as Fastify has it. */
export function routeAccess(handler: object, url: string, reflector: Reflector): RouteAccess {
  const declared = handler as () => unknown;
  if (reflector.get<boolean>(PUBLIC, declared)) return { kind: 'public' };
  const required = reflector.get<RequiredPermission | undefined>(PERMISSION, declared);
  if (!required) throw authzError('permission-undeclared', 'The route declares no permission.');
  const { permission, list } = required;
  if ((OWN_PERMISSIONS as readonly string[]).includes(permission)) return { kind: 'own', permission };
  const parameters = [...url.matchAll(/:(\w+)/g)].map(([, name]) => name!);
  const path = parameters.flatMap((parameter) => {
    const type = TYPE_OF[parameter];
    // Members of a tenant are part of it, not resources of their own.
    if (type === undefined || (type === 'users' && parameters.includes('tenantId'))) return [];
    return [{ type, parameter }];
  });
  const notInSystem = reflector.get<true | undefined>(NOT_IN_SYSTEM, declared) ?? false;
  return { kind: 'permission', action: permission as Action, list, notInSystem, path };
}

/** The path of the resource, cut to its first `depth` types. */
export function resourceOf(path: readonly PathSegment[], request: Request, depth = path.length): string {
  const params = request.params as Readonly<Record<string, string>>;
  let resource = '';
  for (let i = 0; i < depth; i++) {
    const { type, parameter } = path[i]!;
    resource += `${i === 0 ? '' : '/'}${type}/${params[parameter]}`;
  }
  return resource;
}
