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
import { CommandBus } from '@nestjs/cqrs';
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
import { ChangeMember, type MemberChange } from '../application/members.js';
import { InviteMember } from '../application/invite-member.js';
import { MemberCatalog, type MemberView } from '../application/ports.js';
import { memberNotFound } from '../domain/member.js';
import { MemberDto, MemberPage } from './authz-answers.dto.js';
import { InvitationBody, MemberBody, ScopeQuery } from './authz.dto.js';
import { toMemberDto } from './authz-views.js';

interface MemberParams {
  readonly tenantId?: string;
  readonly userId: string;
}

@ApiTags('members')
@Controller()
@UsePipes(strictValidation)
export class MembersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly members: MemberCatalog,
    private readonly cursors: Cursors,
  ) {}

  @Get('tenants/:tenantId/members')
  @Requires('member:read', 'List members')
  @ApiOkResponse({ type: MemberPage })
  async listMembers(@Param('tenantId') tenantId: string, @Query() { limit, cursor }: ListQuery): Promise<MemberPage> {
    const scope = `members ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.members.list(tenantId, after, limit + 1);
    return toPage(rows, limit, { item: toMemberDto, cursor: (last) => this.cursors.encode(scope, last.userId) });
  }

  @Post('tenants/:tenantId/members')
  @Requires('member:manage', 'Invite somebody by e-mail', 'They get these roles besides those that they have.')
  @Idempotent()
  @ApiCreatedResponse({
    type: MemberDto,
    description: 'They are a member now, and a mail tells them. The same whether they had an account or not.',
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
    const command = new InviteMember(tenantId, email, [...new Set(roles)], actorOf(request), request.principal!);
    const { member, joined } = await this.commands.execute(command);
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
  async getMember(@Param() ref: Required<MemberParams>, @Res({ passthrough: true }) reply: Reply): Promise<MemberDto> {
    const member = await this.members.find(ref);
    if (!member) throw memberNotFound(ref);
    showVersion(reply, member.version);
    return toMemberDto(member);
  }

  @Put('tenants/:tenantId/members/:userId')
  @Requires('member:manage', 'Make a user a member with these roles')
  @ApiOkResponse({ type: MemberDto })
  setMember(
    @Param() ref: MemberParams,
    @Body() { roles = [] }: MemberBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    return this.changed(ref, { kind: 'set', roles: inTenant(roles) }, request, reply);
  }

  @Patch('tenants/:tenantId/members/:userId')
  @Requires('member:manage', 'Change the roles of a member')
  @ApiOkResponse({ type: MemberDto })
  async updateMember(
    @Param() ref: Required<MemberParams>,
    @Body() { roles }: MemberBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    if (roles) return this.changed(ref, { kind: 'replace', roles: inTenant(roles) }, request, reply);
    const member = await this.members.find(ref);
    if (!member) throw memberNotFound(ref);
    requireVersion(member.version, expectedVersion(request));
    showVersion(reply, member.version);
    return toMemberDto(member);
  }

  @Delete('tenants/:tenantId/members/:userId')
  @HttpCode(204)
  @Requires('member:manage', 'Remove a member')
  @ApiNoContentResponse({ description: 'All their roles in the tenant are gone, too.' })
  async removeMember(@Param() ref: MemberParams, @Req() request: Request): Promise<void> {
    await this.change(ref, { kind: 'remove' }, request);
  }

  @Put(['tenants/:tenantId/users/:userId/roles/:roleId', 'users/:userId/roles/:roleId'])
  @Requires('member:manage', 'Give a user a role', 'In the tenant, or with `namespace` and `topic` in a part of it.')
  @ApiOkResponse({ type: MemberDto })
  assignRole(
    @Param() { roleId, ...ref }: MemberParams & { roleId: string },
    @Query() query: ScopeQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<MemberDto> {
    return this.changed(ref, { kind: 'assign', role: { roleId, scope: scopeOf(ref, query) } }, request, reply);
  }

  @Delete(['tenants/:tenantId/users/:userId/roles/:roleId', 'users/:userId/roles/:roleId'])
  @HttpCode(204)
  @Requires('member:manage', 'Take a role from a user')
  @ApiNoContentResponse()
  async unassignRole(
    @Param() { roleId, ...ref }: MemberParams & { roleId: string },
    @Query() query: ScopeQuery,
    @Req() request: Request,
  ): Promise<void> {
    await this.change(ref, { kind: 'unassign', role: { roleId, scope: scopeOf(ref, query) } }, request);
  }

  private async changed(ref: MemberParams, change: MemberChange, request: Request, reply: Reply): Promise<MemberDto> {
    const member = await this.change(ref, change, request);
    // Removed by somebody else a moment after the change.
    if (!member) throw memberNotFound(ref);
    showVersion(reply, member.version);
    return toMemberDto(member);
  }

  private change(
    { tenantId, userId }: MemberParams,
    change: MemberChange,
    request: Request,
  ): Promise<MemberView | undefined> {
    const member = { tenantId: tenantId ?? SYSTEM_TENANT, userId };
    return this.commands.execute(
      new ChangeMember(member, change, actorOf(request), request.principal!, expectedVersion(request)),
    );
  }
}

const inTenant = (roles: readonly string[]): { roleId: string; scope: string }[] =>
  [...new Set(roles)].map((roleId) => ({ roleId, scope: '' }));

/** Refuses what could only be taken for more than it says: a topic of no namespace, a place of no tenant. */
function scopeOf({ tenantId }: MemberParams, { namespace, topic }: ScopeQuery): string {
  if (topic !== undefined && namespace === undefined)
    throw invalid([{ pointer: '?namespace', detail: 'must be given with a topic' }]);
  if (namespace === undefined) return '';
  if (tenantId === undefined)
    throw invalid([{ pointer: '?namespace', detail: 'is for roles of a tenant: those of the system hold everywhere' }]);
  return `namespaces/${namespace}${topic === undefined ? '' : `/topics/${topic}`}`;
}
