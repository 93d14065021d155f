import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Requires } from '../../../platform/http/access.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { created, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { ChangeRole, CreateRole, DeleteRole } from '../application/roles/change-role.js';
import { GetRole, ListRoles } from '../application/roles/list-roles.js';
import { RoleDto, RolePage } from './authz-responses.dto.js';
import { RoleBody, RoleChangeBody } from './authz.dto.js';
import { toAnyRoleDto, toRoleDto } from './authz-views.js';
import { callerOf } from './caller.js';

interface RoleParams {
  readonly tenantId?: string;
  readonly roleId: string;
}

/** Roles of a tenant; without a tenant, those of the system. Predefined ones are shown among them and stay as they are. */
@ApiTags('roles')
@Controller(['tenants/:tenantId/roles', 'roles'])
@UsePipes(strictValidation)
export class RolesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Requires('role:manage', 'Create a role')
  @Idempotent()
  @ApiCreatedResponse({ type: RoleDto })
  async createRole(
    @Param('tenantId') tenantId: string | undefined,
    @Body() { id, actions, name, description }: RoleBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RoleDto> {
    const settings = { name: name ?? id ?? 'Role', description: description ?? null, actions };
    const command = new CreateRole(tenantId ?? SYSTEM_TENANT, id, settings, callerOf(request));
    const role = await this.commands.execute(command);
    const base = tenantId === undefined ? '' : `/tenants/${tenantId}`;
    created(reply, `${base}/roles/${role.roleId}`, role.version);
    return toRoleDto(role);
  }

  @Get()
  @Requires('role:read', 'List roles', 'Predefined ones first.')
  @ApiOkResponse({ type: RolePage })
  async listRoles(@Param('tenantId') tenantId: string = SYSTEM_TENANT): Promise<RolePage> {
    const roles = await this.queries.execute(new ListRoles(tenantId));
    return { items: roles.map(toAnyRoleDto), nextCursor: null };
  }

  @Get(':roleId')
  @Requires('role:read', 'Show a role')
  @ApiOkResponse({ type: RoleDto })
  async getRole(
    @Param() { tenantId = SYSTEM_TENANT, roleId }: RoleParams,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RoleDto> {
    const role = await this.queries.execute(new GetRole({ tenantId, roleId }));
    if ('version' in role) showVersion(reply, role.version);
    return toAnyRoleDto(role);
  }

  @Patch(':roleId')
  @Requires('role:manage', 'Change a role')
  @ApiOkResponse({ type: RoleDto })
  async updateRole(
    @Param() { tenantId = SYSTEM_TENANT, roleId }: RoleParams,
    @Body() body: RoleChangeBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RoleDto> {
    const settings = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    const role = await this.commands.execute(new ChangeRole({ tenantId, roleId }, settings, callerOf(request)));
    showVersion(reply, role.version);
    return toRoleDto(role);
  }

  @Delete(':roleId')
  @HttpCode(204)
  @Requires('role:manage', 'Delete a role', 'Only one that is not held.')
  @ApiNoContentResponse()
  async deleteRole(@Param() { tenantId = SYSTEM_TENANT, roleId }: RoleParams, @Req() request: Request): Promise<void> {
    await this.commands.execute(new DeleteRole({ tenantId, roleId }, callerOf(request)));
  }
}
