import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { AuditTrail, auditedBy } from '../../../platform/audit/index.js';
import { actorOf } from '../../../platform/http/resource.js';
import type { Principal, Request } from '../../../platform/http/request.js';
import { Authenticator } from '../../identity/index.js';
import { Authorizer, type Subject } from '../application/authorizer.js';
import { authzError, permissionDenied } from '../domain/authz-errors.js';
import { resourceOf, routeAccess, type RouteAccess } from './route-access.js';

type PermissionRoute = Extract<RouteAccess, { kind: 'permission' }>;

/**
 * Stands before every route: a route is public, or it names a permission, and the caller proves who he is and is allowed it on the
 * resource that the path names. All of it comes from memory: a request that waits for nothing is decided without a promise.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  /** By the route, not by its handler: one handler may serve `/roles` and `/tenants/{t}/roles`, which are different resources. */
  private readonly routes = new Map<unknown, RouteAccess>();

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly authorizer: Authorizer,
    private readonly audit: AuditTrail,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const { config } = request.routeOptions;
    let route = this.routes.get(config);
    if (!route) {
      route = routeAccess(context, this.reflector);
      this.routes.set(config, route);
    }
    if (route.kind === 'public') return true;
    const principal = request.principal ?? this.authenticator.authenticate(request.headers, request.ip);
    if (principal instanceof Promise) return this.continued(route, request, principal);
    request.principal = principal;
    return this.decide(route, request, principal);
  }

  private async continued(route: RouteAccess, request: Request, pending: Promise<Principal>): Promise<boolean> {
    request.principal = await pending;
    return this.decide(route, request, request.principal);
  }

  private decide(
    route: RouteAccess,
    request: Request,
    principal: Principal,
    again = false,
  ): boolean | Promise<boolean> {
    if (route.kind === 'public') return true;
    if (route.kind === 'own') return allowOwn(route.permission, principal);
    const tenantId = (request.params as { tenantId?: string }).tenantId ?? SYSTEM_TENANT;
    const subject = this.authorizer.subject(tenantId, principal);
    if (subject instanceof Promise) return subject.then((found) => this.judge(route, request, found, again));
    return this.judge(route, request, subject, again);
  }

  /** `again`: the request was let through before, and goes on; it is still the one that was counted. */
  private judge(route: PermissionRoute, request: Request, subject: Subject, again: boolean): true {
    const resource = resourceOf(route.path, request);
    const context = { now: Date.now(), address: request.ip };
    const decision = isOwn(route, request, subject)
      ? subject.own(route.action, resource)
      : this.authorizer.decide(subject, route.action, resource, context);
    const someOfIt = route.list && (route.path.length === 0 || subject.mayBelow(route.action, resource));
    if (!decision.allowed && !someOfIt) throw this.denied(route, request, subject);
    this.authorizer.requireOpen(subject, route.action);
    if (decision.rates && !again) this.authorizer.spend(subject, decision.rates);
    request.access = {
      allows: (action, path) => this.authorizer.decide(subject, action, path, context).allowed,
      allowsAllTypes: (action, path) => {
        const { allowed, types } = this.authorizer.decide(subject, action, path, context);
        return allowed && types === undefined;
      },
      types: decision.types,
      tenantIds: async () => (decision.allowed ? undefined : this.authorizer.tenantsOf(subject.principal)),
      stillAllowed: () => this.stillAllowed(route, request),
    };
    return true;
  }

  private async stillAllowed(route: PermissionRoute, request: Request): Promise<boolean> {
    try {
      const principal = await this.authenticator.authenticate(request.headers, request.ip);
      return await this.decide(route, request, principal, true);
    } catch {
      return false;
    }
  }

  private denied(route: PermissionRoute, request: Request, subject: Subject): Error {
    const refusal = this.refusal(route, request, subject);
    this.audit.note({
      ...auditedBy(actorOf(request)),
      tenantId: subject.gate ? subject.tenantId : SYSTEM_TENANT,
      action: 'access.denied',
      outcome: 'denied',
      reason: route.action,
      resource: resourceOf(route.path, request) || 'system',
    });
    return refusal;
  }

  /** What the caller cannot see is missing to him; where he sees it, he is told what he lacks. */
  private refusal(route: PermissionRoute, request: Request, subject: Subject): Error {
    for (let depth = 1; depth <= route.path.length; depth++) {
      const { type, parameter } = route.path[depth - 1]!;
      const missing = type === 'tenants' && subject.gate === null;
      if (!missing && subject.sees(resourceOf(route.path, request, depth))) continue;
      const id = (request.params as Readonly<Record<string, string>>)[parameter]!;
      const notFound = this.authorizer.notFound(type, id);
      if (notFound) return notFound;
    }
    return permissionDenied(route.action);
  }
}

/** What everybody may for himself; a key may look, but not touch what is the person's. */
function allowOwn(permission: string, principal: Principal): true {
  if (principal.kind === 'user' || permission === 'profile:read' || permission === 'authz:check') return true;
  throw authzError('permission-denied', 'API keys cannot do this; log in.', { permission });
}

/** Everybody looks after his own API keys. */
function isOwn({ action, path }: PermissionRoute, request: Request, { principal }: Subject): boolean {
  if (path[0]?.type !== 'users' || !action.startsWith('api-key:')) return false;
  const { userId } = request.params as { userId?: string };
  return userId === 'me' || userId === principal.userId;
}
