import { Body, Controller, Get, HttpCode, Param, Post, Req, UsePipes } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { bitOf, type Action } from '../../../kernel/actions.js';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Requires } from '../../../platform/http/access.js';
import type { Principal, Request } from '../../../platform/http/request.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { Authorizer, type Subject } from '../application/authorizer.js';
import { permissionDenied } from '../domain/authz-errors.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { CheckBody } from './authz.dto.js';
import { toRuleDto } from './authz-views.js';
import { onePrincipal } from './grants.controller.js';

@ApiTags('permissions')
@Controller()
@UsePipes(strictValidation)
export class AuthzController {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly clock: Clock,
  ) {}

  @Get(['tenants/:tenantId/users/:userId/effective-permissions', 'users/:userId/effective-permissions'])
  @Requires('permission:read', 'All that holds for a user, and through which role, group or grant')
  async effective(
    @Param() { tenantId = SYSTEM_TENANT, userId }: { tenantId?: string; userId: string },
  ): Promise<object> {
    const { policy } = await this.authorizer.subject(tenantId, { id: userId, kind: 'user', userId });
    return { userId, permissions: policy.rules.map(toRuleDto) };
  }

  @Post('authz/check')
  @HttpCode(200)
  @Requires('authz:check', 'Whether something would be allowed, and why; nothing is done')
  async check(
    @Body() { principal, action, resource, context = {} }: CheckBody,
    @Req() request: Request,
  ): Promise<object> {
    if (bitOf(action) === undefined) throw invalid([{ pointer: '/action', detail: 'is no action' }]);
    const pattern = parsePattern(resource);
    if (!pattern.literal)
      throw invalid([{ pointer: '/resource', detail: 'must name one resource, without wildcards' }]);
    const path = pattern.segments.join('/');
    const tenantId = pattern.segments[0] === 'tenants' ? pattern.segments[1]! : SYSTEM_TENANT;
    const about = principal === undefined ? request.principal! : await this.other(principal, tenantId, request);
    const subject = await this.authorizer.subject(tenantId, about);
    const { time, ...rest } = context;
    const given = { now: time === undefined ? this.clock.now() : Date.parse(time), ...rest };
    const decision = subject.check(action as Action, path, given);
    const { rules } = subject.policy.explain(action as Action, path, given);
    const closed = this.authorizer.closed(subject, action as Action);
    return {
      allowed: decision.allowed && !closed,
      reason: closed ?? decision.reason,
      grants: rules.map(toRuleDto),
    };
  }

  /** To ask about others takes the permission to see what they may. */
  private async other(principal: CheckBody['principal'], tenantId: string, request: Request): Promise<Principal> {
    const { kind, id } = onePrincipal(principal!);
    if (kind !== 'user') throw invalid([{ pointer: '/principal', detail: 'must be a user' }]);
    if (id === request.principal!.userId) return { id, kind: 'user', userId: id };
    const asking: Subject = await this.authorizer.subject(tenantId, request.principal!);
    const where = tenantId === SYSTEM_TENANT ? '' : `tenants/${tenantId}`;
    if (!asking.check('permission:read', where, { now: this.clock.now() }).allowed)
      throw permissionDenied('permission:read');
    return { id, kind: 'user', userId: id };
  }
}
