import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { created, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { CreateGroup, DeleteGroup, RenameGroup } from '../application/groups/change-group.js';
import { GetGroup, ListGroups } from '../application/groups/list-groups.js';
import { GroupDto, GroupPage } from './authz-responses.dto.js';
import { GroupBody, GroupChangeBody } from './authz.dto.js';
import { toGroupDto } from './authz-views.js';
import { callerOf } from './caller.js';

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
    private readonly queries: QueryBus,
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
    const input = { id, name: name ?? id ?? 'Group' };
    const group = await this.commands.execute(new CreateGroup(tenantId, input, callerOf(request)));
    created(reply, `/tenants/${tenantId}/groups/${group.groupId}`, group.version);
    return toGroupDto(group);
  }

  @Get()
  @Requires('group:read', 'List groups')
  @ApiOkResponse({ type: GroupPage })
  async listGroups(@Param('tenantId') tenantId: string, @Query() { limit, cursor }: ListQuery): Promise<GroupPage> {
    const scope = `groups ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.queries.execute(new ListGroups(tenantId, after, limit));
    return toPage(rows, limit, { item: toGroupDto, cursor: (last) => this.cursors.encode(scope, last.groupId) });
  }

  @Get(':groupId')
  @Requires('group:read', 'Show a group')
  @ApiOkResponse({ type: GroupDto })
  async getGroup(@Param() ref: GroupParams, @Res({ passthrough: true }) reply: Reply): Promise<GroupDto> {
    const group = await this.queries.execute(new GetGroup(ref));
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
    const group = await this.commands.execute(new RenameGroup(ref, name, callerOf(request)));
    showVersion(reply, group.version);
    return toGroupDto(group);
  }

  @Delete(':groupId')
  @HttpCode(204)
  @Requires('group:manage', 'Delete a group')
  @ApiNoContentResponse({ description: 'Its members have lost what it gave them.' })
  async deleteGroup(@Param() ref: GroupParams, @Req() request: Request): Promise<void> {
    await this.commands.execute(new DeleteGroup(ref, callerOf(request)));
  }
}
