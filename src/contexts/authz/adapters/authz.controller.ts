import { Body, Controller, Get, HttpCode, Param, Post, Req, UsePipes } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { parseTime } from '../../../kernel/rfc3339.js';
import { Requires } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { CheckPermission } from '../application/check-permission.js';
import { GetSystemPermissions, GetTenantPermissions } from '../application/effective-permissions.js';
import type { PrincipalName } from '../application/ports.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { CheckResultDto, SystemPermissionsDto, TenantPermissionsDto } from './authz-responses.dto.js';
import { CheckBody } from './authz.dto.js';
import { toRuleDto, toToldRuleDto } from './authz-views.js';
import { onePrincipal } from './grants.controller.js';

@ApiTags('grants')
@Controller()
@UsePipes(strictValidation)
export class AuthzController {
  constructor(
    private readonly queries: QueryBus,
    private readonly clock: Clock,
  ) {}

  @Get('users/:userId/effective-permissions')
  @Requires('permission:read', 'Show what a user may do in the system', 'And through which role, group or grant.')
  @ApiOkResponse({ type: SystemPermissionsDto })
  async getSystemEffectivePermissions(@Param('userId') userId: string): Promise<SystemPermissionsDto> {
    const rules = await this.queries.execute(new GetSystemPermissions(userId));
    return { userId, permissions: rules.map(toRuleDto) };
  }

  @Get('tenants/:tenantId/users/:userId/effective-permissions')
  @Requires('permission:read', 'Show what a user may do in a tenant', 'And through which role, group or grant.')
  @ApiOkResponse({ type: TenantPermissionsDto })
  async getEffectivePermissions(
    @Param() { tenantId, userId }: { tenantId: string; userId: string },
  ): Promise<TenantPermissionsDto> {
    const visible = await this.queries.execute(new GetTenantPermissions(tenantId, userId));
    return { userId, permissions: visible.map(toToldRuleDto) };
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
    const now = this.clock.now();
    const asked = {
      tenantId: pattern.segments[0] === 'tenants' ? pattern.segments[1]! : SYSTEM_TENANT,
      action,
      resource: pattern.segments.join('/'),
      context: { now: time === undefined ? now : parseTime(time), ...rest },
    };
    const about = principal && (onePrincipal(principal) as PrincipalName);
    const query = new CheckPermission(request.principal!, { now, address: request.ip }, about, asked);
    const { rules, ...verdict } = await this.queries.execute(query);
    return { ...verdict, grants: rules.map(toToldRuleDto) };
  }
}
