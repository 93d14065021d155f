import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { ChangeGroup, type GroupChange } from '../application/groups.js';
import { GroupCatalog, type GroupView } from '../application/ports.js';
import { groupNotFound } from '../domain/group.js';
import { GroupDto, GroupPage } from './authz-answers.dto.js';
import { GroupBody, GroupChangeBody } from './authz.dto.js';
import { toGroupDto } from './authz-views.js';

interface GroupParams {
  readonly tenantId: string;
  readonly groupId: string;
}

@ApiTags('groups')
@Controller('tenants/:tenantId/groups')
@UsePipes(strictValidation)
export class GroupsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly groups: GroupCatalog,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Requires('group:manage', 'Create a group')
  @Idempotent()
  @ApiCreatedResponse({ type: GroupDto })
  async createGroup(
    @Param('tenantId') tenantId: string,
    @Body() { id, name }: GroupBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<GroupDto> {
    const change = { kind: 'create', name: name ?? id ?? 'Group' } as const;
    const group = (await this.change({ tenantId, ...(id !== undefined && { groupId: id }) }, change, request))!;
    created(reply, `/tenants/${tenantId}/groups/${group.groupId}`, group.version);
    return toGroupDto(group);
  }

  @Get()
  @Requires('group:read', 'List groups')
  @ApiOkResponse({ type: GroupPage })
  async listGroups(@Param('tenantId') tenantId: string, @Query() { limit, cursor }: ListQuery): Promise<GroupPage> {
    const scope = `groups ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.groups.list(tenantId, after, limit + 1);
    return toPage(rows, limit, { item: toGroupDto, cursor: (last) => this.cursors.encode(scope, last.groupId) });
  }

  @Get(':groupId')
  @Requires('group:read', 'Show a group')
  @ApiOkResponse({ type: GroupDto })
  async getGroup(@Param() ref: GroupParams, @Res({ passthrough: true }) reply: Reply): Promise<GroupDto> {
    const group = await this.groups.find(ref);
    if (!group) throw groupNotFound({ ...ref, tenantUid: '' });
    showVersion(reply, group.version);
    return toGroupDto(group);
  }

  @Patch(':groupId')
  @Requires('group:manage', 'Change a group')
  @ApiOkResponse({ type: GroupDto })
  async updateGroup(
    @Param() ref: GroupParams,
    @Body() { name }: GroupChangeBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<GroupDto> {
    const group = (await this.change(ref, { kind: 'rename', name }, request))!;
    showVersion(reply, group.version);
    return toGroupDto(group);
  }

  @Delete(':groupId')
  @HttpCode(204)
  @Requires('group:manage', 'Delete a group')
  @ApiNoContentResponse({ description: 'Its members have lost what it gave them.' })
  async deleteGroup(@Param() ref: GroupParams, @Req() request: Request): Promise<void> {
    await this.change(ref, { kind: 'delete' }, request);
  }

  private change(
    group: { readonly tenantId: string; readonly groupId?: string },
    change: GroupChange,
    request: Request,
  ): Promise<GroupView | undefined> {
    return this.commands.execute(
      new ChangeGroup(group, change, actorOf(request), request.principal!, expectedVersion(request)),
    );
  }
}
