import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
  UsePipes,
} from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { requireVersion } from '../../../platform/event-log/index.js';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { AssignRole, UnassignRole } from '../application/members/assign-role.js';
import { InviteMember } from '../application/members/invite-member.js';
import { GetMember, ListMembers } from '../application/members/list-members.js';
import { RemoveMember } from '../application/members/remove-member.js';
import { ReplaceRoles, SetMember } from '../application/members/set-member.js';
import type { MemberView } from '../application/ports.js';
import type { RoleAssignment } from '../domain/member.js';
import { MemberDto, MemberPage } from './authz-responses.dto.js';
import { InvitationBody, MemberBody, ScopeQuery } from './authz.dto.js';
import { toMemberDto } from './authz-views.js';
import { callerOf } from './caller.js';

interface TenantMember {
  readonly tenantId: string;
  readonly userId: string;
}

/** Without a tenant: a role of the system. */
interface RoleParams {
  readonly tenantId?: string;
  readonly userId: string;
  readonly roleId: string;
}

@ApiTags('members')
@Controller()
@UsePipes(strictValidation)
export class MembersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Get('tenants/:tenantId/members')
  @Requires('member:read', 'List members')
  @ApiOkResponse({ type: MemberPage })
  async listMembers(@Param('tenantId') tenantId: string, @Query() { limit, cursor }: ListQuery): Promise<MemberPage> {
    const scope = `members ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.queries.execute(new ListMembers(tenantId, after, limit));
    return toPage(rows, limit, { item: toMemberDto, cursor: (last) => this.cursors.encode(scope, last.userId) });
  }

  @Post('tenants/:tenantId/members')
  @Requires('member:manage', 'Invite a user by e-mail', 'They get these roles besides those that they have.')
  @Idempotent()
  @ApiCreatedResponse({
    type: MemberDto,
    description: 'They are a member now, and get a mail about it. The same whether they had an account or not.',
  })
  @ApiOkResponse({
    type: MemberDto,
    description: 'They were a member before; the roles are added, and the mail is sent once more.',
  })
  async inviteMember(
    @Param('tenantId') tenantId: string,
    @Body() { email, roles = [] }: InvitationBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    const caller = { by: actorOf(request), giver: request.principal! };
    const { member, joined } = await this.commands.execute(
      new InviteMember(tenantId, email, [...new Set(roles)], caller),
    );
    if (joined) created(reply, `/tenants/${tenantId}/members/${member.userId}`, member.version);
    else {
      reply.status(200);
      showVersion(reply, member.version);
    }
    return toMemberDto(member);
  }

  @Get('tenants/:tenantId/members/:userId')
  @Requires('member:read', 'Show a member')
  @ApiOkResponse({ type: MemberDto })
  async getMember(@Param() ref: TenantMember, @Res({ passthrough: true }) reply: Reply): Promise<MemberDto> {
    return shown(await this.queries.execute(new GetMember(ref)), reply);
  }

  @Put('tenants/:tenantId/members/:userId')
  @Requires('member:manage', 'Make a user a member with these roles')
  @ApiOkResponse({ type: MemberDto })
  async setMember(
    @Param() ref: TenantMember,
    @Body() { roles = [] }: MemberBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    return shown(await this.commands.execute(new SetMember(ref, inTenant(roles), callerOf(request))), reply);
  }

  @Patch('tenants/:tenantId/members/:userId')
  @Requires('member:manage', 'Change the roles of a member')
  @ApiOkResponse({ type: MemberDto })
  async updateMember(
    @Param() ref: TenantMember,
    @Body() { roles }: MemberBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    if (roles)
      return shown(await this.commands.execute(new ReplaceRoles(ref, inTenant(roles), callerOf(request))), reply);
    const member = await this.queries.execute(new GetMember(ref));
    requireVersion(member.version, expectedVersion(request));
    return shown(member, reply);
  }

  @Delete('tenants/:tenantId/members/:userId')
  @HttpCode(204)
  @Requires('member:manage', 'Remove a member')
  @ApiNoContentResponse({ description: 'All their roles in the tenant are gone, too.' })
  async removeMember(@Param() ref: TenantMember, @Req() request: Request): Promise<void> {
    await this.commands.execute(new RemoveMember(ref, callerOf(request)));
  }

  @Put(['tenants/:tenantId/users/:userId/roles/:roleId', 'users/:userId/roles/:roleId'])
  @Requires('member:manage', 'Give a user a role', 'In the tenant, or with `namespace` and `topic` in a part of it.')
  @ApiOkResponse({ type: MemberDto })
  async assignRole(
    @Param() params: RoleParams,
    @Query() query: ScopeQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    const { member, role } = assignmentOf(params, query);
    return shown(await this.commands.execute(new AssignRole(member, role, callerOf(request))), reply);
  }

  @Delete(['tenants/:tenantId/users/:userId/roles/:roleId', 'users/:userId/roles/:roleId'])
  @HttpCode(204)
  @Requires('member:manage', 'Take a role from a user')
  @ApiNoContentResponse()
  async unassignRole(@Param() params: RoleParams, @Query() query: ScopeQuery, @Req() request: Request): Promise<void> {
    const { member, role } = assignmentOf(params, query);
    await this.commands.execute(new UnassignRole(member, role, callerOf(request)));
  }
}

function shown(member: MemberView, reply: Reply): MemberDto {
  showVersion(reply, member.version);
  return toMemberDto(member);
}

const inTenant = (roles: readonly string[]): RoleAssignment[] =>
  [...new Set(roles)].map((roleId) => ({ roleId, scope: '' }));

function assignmentOf(
  params: RoleParams,
  query: ScopeQuery,
): { readonly member: TenantMember; readonly role: RoleAssignment } {
  const { tenantId = SYSTEM_TENANT, userId, roleId } = params;
  return { member: { tenantId, userId }, role: { roleId, scope: scopeOf(params, query) } };
}

/** Refuses what could be taken for a wider scope than it says: a topic without a namespace, a part of no tenant. */
function scopeOf({ tenantId }: RoleParams, { namespace, topic }: ScopeQuery): string {
  if (topic !== undefined && namespace === undefined)
    throw invalid([{ pointer: '?namespace', detail: 'must be given with a topic' }]);
  if (namespace === undefined) return '';
  if (tenantId === undefined)
    throw invalid([{ pointer: '?namespace', detail: 'is for roles of a tenant: those of the system hold everywhere' }]);
  return `namespaces/${namespace}${topic === undefined ? '' : `/topics/${topic}`}`;
}
