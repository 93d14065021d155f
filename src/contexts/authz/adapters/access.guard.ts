import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { whenReady } from '../../../kernel/when-ready.js';
import { AuditTrail, auditedBy } from '../../../platform/audit/index.js';
import { noteLimit } from '../../../platform/http/rate-limit-headers.js';
import { actorOf } from '../../../platform/http/resource.js';
import type { Access, Principal } from '../../../kernel/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { Authenticator, RequestAuthentication } from '../../identity/index.js';
import { FairTurns, reservedBySystem, type Turn } from '../../tenancy/index.js';
import { Authorizer } from '../application/authorizer.js';
import type { Subject } from '../application/subject.js';
import type { Action } from '../../../kernel/actions.js';
import type { RequestContext } from '../domain/constraints.js';
import type { Decision, RateRule } from '../domain/decision.js';
import { authzError, permissionDenied } from '../domain/authz-errors.js';
import { resourceOf, routeAccess, type RouteAccess } from './route-access.js';

type ClosedRoute = Exclude<RouteAccess, { kind: 'public' }>;
type PermissionRoute = Extract<RouteAccess, { kind: 'permission' }>;

/**
 * Guards every route: a route is public, or it names a permission, and the caller must be authenticated and hold it on the resource that the
 * path names. All of it comes from memory: a request that waits for nothing is decided without a promise.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  /** By Fastify's own record of the route: one handler may serve several routes, with other paths. */
  private readonly routes = new Map<unknown, RouteAccess>();

  constructor(
    private readonly reflector: Reflector,
    private readonly authentication: RequestAuthentication,
    private readonly authenticator: Authenticator,
    private readonly authorizer: Authorizer,
    private readonly audit: AuditTrail,
    private readonly turns: FairTurns,
    private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const { config, url = '' } = request.routeOptions;
    let route = this.routes.get(config);
    if (!route) {
      route = this.routeOf(context.getHandler(), url);
      this.routes.set(config, route);
    }
    return this.letIn(route, request, http.getResponse<Reply>());
  }

  /** What a handler requires at an address. */
  routeOf(handler: object, url: string): RouteAccess {
    return routeAccess(handler, url, this.reflector);
  }

  /** True, or an error that says why not. */
  letIn(route: RouteAccess, request: Request, reply: Reply): true | Promise<true> {
    if (route.kind === 'public') return true;
    const decided = whenReady(this.authentication.principalOf(request), (principal) =>
      this.decide(route, request, principal),
    );
    return whenReady(decided, () => this.awaitTurn(request, reply));
  }

  /**
   * Only callers that are let in take turns: strangers cannot use up those of a tenant. Where no tenant is named the turns are the user's own.
   */
  private awaitTurn(request: Request, reply: Reply): true | Promise<true> {
    const { tenantId } = request.params as { tenantId?: string };
    const turn = this.turns.take(tenantId ?? `user ${request.principal!.userId}`);
    return whenReady(turn, (begun) => hold(begun, request, reply));
  }

  /** `again`: the request was let through before and is still running. It is not counted again. */
  private decide(route: ClosedRoute, request: Request, principal: Principal, again = false): true | Promise<true> {
    if (route.kind === 'own') return allowOwn(route.permission, principal);
    const tenantId = (request.params as { tenantId?: string }).tenantId ?? SYSTEM_TENANT;
    return whenReady(this.authorizer.subject(tenantId, principal), (subject): true => {
      const decision = this.decisionOn(route, request, subject);
      if (!decision.allowed && !this.seesSome(route, request, subject)) throw this.denied(route, request, subject);
      this.authorizer.requireOpen(subject, route.action);
      if (decision.rates && !again && !knowsTypes(route, decision)) this.spend(request, subject, decision.rates);
      if (route.notInSystem && tenantId === SYSTEM_TENANT) throw reservedBySystem();
      request.access = new SubjectAccess(this, this.authorizer, route, request, subject, decision);
      return true;
    });
  }

  spend(request: Request, subject: Subject, rates: NonNullable<Decision['rates']>): void {
    const left = this.authorizer.spend(subject, rates);
    if (left) noteLimit(request, left);
  }

  private decisionOn(route: PermissionRoute, request: Request, subject: Subject): Decision {
    const resource = resourceOf(route.path, request);
    const context = this.contextOf(request);
    return isOwn(route, request, subject)
      ? subject.checkOwn(route.action, resource, context)
      : subject.check(route.action, resource, context);
  }

  /** Callers that may see any item of a list may ask for it. */
  private seesSome({ list, path, action }: PermissionRoute, request: Request, subject: Subject): boolean {
    return list && (path.length === 0 || subject.mayBelow(action, resourceOf(path, request)));
  }

  contextOf({ ip }: Request): RequestContext {
    return { now: this.clock.now(), address: ip };
  }

  async stillAllowed(route: PermissionRoute, request: Request): Promise<boolean> {
    try {
      const principal = await this.authenticator.authenticate(request.headers, request.ip);
      return await this.decide(route, request, principal, true);
    } catch {
      return false;
    }
  }

  /** Checks again what the request was let in by, as the transaction sees it that does the work. */
  async confirm(
    sql: Sql,
    routes: readonly PermissionRoute[],
    request: Request,
    { tenantId, principal }: Subject,
  ): Promise<void> {
    await this.authorizer.requireCredential(sql, principal, this.clock.now());
    const subject = await this.authorizer.subjectWithin(sql, tenantId, principal);
    for (const route of routes) {
      const { allowed } = this.decisionOn(route, request, subject);
      if (!allowed && !this.seesSome(route, request, subject)) throw permissionDenied(route.action);
      await this.authorizer.requireOpenWithin(sql, subject, route.action);
    }
  }

  /** Recorded in the tenant only where the caller sees it: strangers must not write to the audit trail of a tenant. */
  denied(route: PermissionRoute, request: Request, subject: Subject): Error {
    const refusal = this.refusal(route, request, subject);
    const { tenantId } = subject;
    this.audit.note({
      ...auditedBy(actorOf(request)),
      tenantId: subject.gate && subject.sees(`tenants/${tenantId}`) ? tenantId : SYSTEM_TENANT,
      action: 'access.denied',
      outcome: 'denied',
      reason: route.action,
      resource: resourceOf(route.path, request) || 'system',
    });
    return refusal;
  }

  /** What the caller cannot see is not found. Of what they see, the error names the missing permission. */
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

const TURN = Symbol('turn');
type HoldsTurn = Reply['raw'] & { [TURN]?: Turn };

/** A turn lasts until the answer is sent or the client is gone; streams release it when they begin. */
function hold(turn: Turn, request: Request, { raw }: Reply): true {
  request.turn = turn;
  if (raw.closed) turn.end();
  else (raw as HoldsTurn).on('close', releaseTurn)[TURN] = turn;
  return true;
}

/** One function for all requests: otherwise each would allocate a closure and a listener that removes itself. */
function releaseTurn(this: HoldsTurn): void {
  if (this.statusCode === 429) this[TURN]?.endRefused();
  else this[TURN]?.end();
}

/** A class, so that a request makes one object and no closures. */
class SubjectAccess implements Access {
  /** What else the handler has required. */
  private required: PermissionRoute[] | undefined;

  constructor(
    private readonly guard: AccessGuard,
    private readonly authorizer: Authorizer,
    private readonly route: PermissionRoute,
    private readonly request: Request,
    private readonly subject: Subject,
    private readonly decision: Decision,
  ) {}

  get types(): Access['types'] {
    return this.decision.types;
  }

  get publishLimits(): Access['publishLimits'] {
    return this.subject.gate?.limits ?? null;
  }

  refusedType(events: readonly { readonly type: string }[]): string | undefined {
    const { types } = this.decision;
    if (knowsTypes(this.route, this.decision)) return this.refusedByRate(events);
    return types && events.find(({ type }) => !types.permits(type))?.type;
  }

  /** Each type is decided by itself. The request counts once against every rate that lets it through. */
  private refusedByRate(events: readonly { readonly type: string }[]): string | undefined {
    const resource = resourceOf(this.route.path, this.request);
    const rates: (readonly RateRule[])[] = [];
    for (const eventType of new Set(events.map(({ type }) => type))) {
      const context = { ...this.context(), eventType };
      const decision = this.subject.check(this.route.action, resource, context);
      if (!decision.allowed) return eventType;
      rates.push(...(decision.rates ?? []));
    }
    if (rates.length > 0) this.guard.spend(this.request, this.subject, rates);
    return undefined;
  }

  allows(action: Action, resource: string): boolean {
    return this.subject.check(action, resource, this.context()).allowed;
  }

  require(action: Action): void {
    const route = { ...this.route, action, list: false };
    if (!this.allows(action, resourceOf(route.path, this.request)))
      throw this.guard.denied(route, this.request, this.subject);
    (this.required ??= []).push(route);
  }

  allowsAllTypes(action: Action, resource: string): boolean {
    const { allowed, types } = this.subject.check(action, resource, this.context());
    return allowed && types === undefined;
  }

  async allowsIn(tenantId: string, action: Action, resource: string): Promise<boolean> {
    const there = await this.authorizer.subject(tenantId, this.subject.principal);
    const { allowed } = there.check(action, resource, this.context());
    return allowed && this.authorizer.closureReason(there, action) === undefined;
  }

  reaches(action: Action, resource: string): boolean {
    return this.subject.checkOwn(action, resource, this.context()).allowed;
  }

  async tenantIds(): Promise<readonly string[] | undefined> {
    return this.decision.allowed ? undefined : this.authorizer.tenantsOf(this.subject.principal);
  }

  confirm(sql: Sql): Promise<void> {
    return this.guard.confirm(sql, [this.route, ...(this.required ?? [])], this.request, this.subject);
  }

  stillAllowed(): Promise<boolean> {
    return this.guard.stillAllowed(this.route, this.request);
  }

  private context(): RequestContext {
    return this.guard.contextOf(this.request);
  }
}

/** Only publishing knows the types before anything is let through, and is counted by them. Reading is counted as if it were of all types. */
const knowsTypes = ({ action }: PermissionRoute, { ratesByType }: Decision): boolean =>
  ratesByType === true && action === 'event:publish';

/** What all users may do for themselves; an API key may only read the profile and check permissions. */
function allowOwn(permission: string, principal: Principal): true {
  if (principal.kind === 'user' || permission === 'profile:read' || permission === 'authz:check') return true;
  throw authzError('permission-denied', 'API keys cannot do this; log in.', { permission });
}

/** Users manage their own API keys. */
function isOwn({ action, path }: PermissionRoute, request: Request, { principal }: Subject): boolean {
  if (path[0]?.type !== 'users' || !action.startsWith('api-key:')) return false;
  const { userId } = request.params as { userId?: string };
  return userId === 'me' || userId === principal.userId;
}
