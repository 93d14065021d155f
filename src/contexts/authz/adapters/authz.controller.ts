import { Body, Controller, Get, HttpCode, Param, Post, Req, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { parseTime } from '../../../kernel/rfc3339.js';
import { Requires } from '../../../platform/http/access.js';
import type { Principal } from '../../../kernel/access.js';
import type { Request } from '../../../platform/http/request.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { Authorizer } from '../application/authorizer.js';
import { Explanations, type Asked, type Explanation } from '../application/explanations.js';
import { MemberCatalog } from '../application/ports.js';
import { memberNotFound } from '../domain/member.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { toldIn } from '../domain/told-rule.js';
import { CheckResultDto, SystemPermissionsDto, TenantPermissionsDto } from './authz-answers.dto.js';
import { CheckBody, type WhoCanActDto } from './authz.dto.js';
import { toRuleDto, toToldRuleDto } from './authz-views.js';
import { onePrincipal } from './grants.controller.js';

@ApiTags('grants')
@Controller()
@UsePipes(strictValidation)
export class AuthzController {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly explanations: Explanations,
    private readonly members: MemberCatalog,
    private readonly clock: Clock,
  ) {}

  @Get('users/:userId/effective-permissions')
  @Requires('permission:read', 'Show what a user may do in the system', 'And through which role, group or grant.')
  @ApiOkResponse({ type: SystemPermissionsDto })
  async getSystemEffectivePermissions(@Param('userId') userId: string): Promise<SystemPermissionsDto> {
    const { policy } = await this.authorizer.subject(SYSTEM_TENANT, { id: userId, kind: 'user', userId });
    return { userId, permissions: policy.rules.map(toRuleDto) };
  }

  @Get('tenants/:tenantId/users/:userId/effective-permissions')
  @Requires('permission:read', 'Show what a user may do in a tenant', 'And through which role, group or grant.')
  @ApiOkResponse({ type: TenantPermissionsDto })
  async getEffectivePermissions(
    @Param() { tenantId, userId }: { tenantId: string; userId: string },
  ): Promise<TenantPermissionsDto> {
    const { policy } = await this.authorizer.subject(tenantId, { id: userId, kind: 'user', userId });
    const told = toldIn(tenantId, policy.rules);
    const concerned = told.length > 0 || (await this.members.find({ tenantId, userId })) !== undefined;
    if (!concerned) throw memberNotFound({ userId });
    return { userId, permissions: told.map(toToldRuleDto) };
  }

  @Post('authz/check')
  @HttpCode(200)
  @Requires('authz:check', 'Ask whether something is allowed', 'And why; nothing is done.')
  @ApiOkResponse({ type: CheckResultDto })
  async checkPermission(
    @Body() { principal, action, resource, context = {} }: CheckBody,
    @Req() request: Request,
  ): Promise<CheckResultDto> {
    const pattern = parsePattern(resource);
    if (!pattern.literal)
      throw invalid([{ pointer: '/resource', detail: 'must name one resource, without wildcards' }]);
    const { time, ...rest } = context;
    const { rules, ...verdict } = await this.explain(principal, request, {
      tenantId: pattern.segments[0] === 'tenants' ? pattern.segments[1]! : SYSTEM_TENANT,
      action,
      resource: pattern.segments.join('/'),
      context: { now: time === undefined ? this.clock.now() : parseTime(time), ...rest },
    });
    return { ...verdict, grants: rules.map(toToldRuleDto) };
  }

  private async explain(named: WhoCanActDto | undefined, request: Request, asked: Asked): Promise<Explanation> {
    const asking = request.principal!;
    const { kind, id } = named ? onePrincipal(named) : { kind: 'caller', id: asking.id };
    const about = await this.principalOf(kind, id, asking);
    const { ip: address } = request;
    if (about?.userId !== asking.userId)
      return this.explanations.toOthers(asking, { now: this.clock.now(), address }, about, asked);
    const context = { address, ...asked.context };
    return this.explanations.toWhomItConcerns(asking, about, { ...asked, context });
  }

  private async principalOf(kind: string, id: string, asking: Principal): Promise<Principal | undefined> {
    if (id === asking.id) return asking;
    return kind === 'user' ? { id, kind, userId: id } : this.explanations.keyPrincipal(id);
  }
}
