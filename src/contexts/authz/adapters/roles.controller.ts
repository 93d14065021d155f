import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Requires } from '../../../platform/http/access.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { RoleCatalog, type RoleView } from '../application/ports.js';
import { ChangeRole, type RoleChange } from '../application/roles.js';
import { PREDEFINED_ROLES, predefinedRole } from '../domain/predefined-roles.js';
import { roleNotFound } from '../domain/role.js';
import { RoleDto, RolePage } from './authz-answers.dto.js';
import { RoleBody, RoleChangeBody } from './authz.dto.js';
import { toPredefinedDto, toRoleDto } from './authz-views.js';

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
    private readonly roles: RoleCatalog,
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
    const role = (await this.change({ tenantId, roleId: id }, { kind: 'create', settings }, request))!;
    const base = tenantId === undefined ? '' : `/tenants/${tenantId}`;
    created(reply, `${base}/roles/${role.roleId}`, role.version);
    return toRoleDto(role);
  }

  @Get()
  @Requires('role:read', 'List roles', 'Predefined ones first.')
  @ApiOkResponse({ type: RolePage })
  async listRoles(@Param('tenantId') tenantId: string = SYSTEM_TENANT): Promise<RolePage> {
    const scope = tenantId === SYSTEM_TENANT ? 'system' : 'tenant';
    const predefined = PREDEFINED_ROLES.filter((role) => role.scope === scope).map(toPredefinedDto);
    return { items: [...predefined, ...(await this.roles.list(tenantId)).map(toRoleDto)], nextCursor: null };
  }

  @Get(':roleId')
  @Requires('role:read', 'Show a role')
  @ApiOkResponse({ type: RoleDto })
  async getRole(
    @Param() { tenantId = SYSTEM_TENANT, roleId }: RoleParams,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RoleDto> {
    const predefined = predefinedRole(roleId);
    if (predefined && (predefined.scope === 'system') === (tenantId === SYSTEM_TENANT))
      return toPredefinedDto(predefined);
    const role = await this.roles.find({ tenantId, roleId });
    if (!role) throw roleNotFound({ tenantId, roleId, tenantUid: '' });
    showVersion(reply, role.version);
    return toRoleDto(role);
  }

  @Patch(':roleId')
  @Requires('role:manage', 'Change a role')
  @ApiOkResponse({ type: RoleDto })
  async updateRole(
    @Param() ref: RoleParams,
    @Body() body: RoleChangeBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RoleDto> {
    const settings = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    const role = (await this.change(ref, { kind: 'change', settings }, request))!;
    showVersion(reply, role.version);
    return toRoleDto(role);
  }

  @Delete(':roleId')
  @HttpCode(204)
  @Requires('role:manage', 'Delete a role', 'One that nobody holds.')
  @ApiNoContentResponse()
  async deleteRole(@Param() ref: RoleParams, @Req() request: Request): Promise<void> {
    await this.change(ref, { kind: 'delete' }, request);
  }

  private change(
    { tenantId = SYSTEM_TENANT, roleId }: Partial<RoleParams>,
    change: RoleChange,
    request: Request,
  ): Promise<RoleView | undefined> {
    const role = { tenantId, ...(roleId !== undefined && { roleId }) };
    return this.commands.execute(
      new ChangeRole(role, change, actorOf(request), request.principal!, expectedVersion(request)),
    );
  }
}
