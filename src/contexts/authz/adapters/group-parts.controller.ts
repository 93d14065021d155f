import { Controller, Delete, Get, HttpCode, Param, Put, Query, Req, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { AddToGroup, RemoveFromGroup } from '../application/groups/group-parts.js';
import { GetGroup, ListGroupParts } from '../application/groups/list-groups.js';
import type { GroupPart } from '../domain/group.js';
import { GroupPartPage } from './authz-responses.dto.js';
import { callerOf } from './caller.js';

interface GroupParams {
  readonly tenantId: string;
  readonly groupId: string;
}

/** What a group is made of: its members, the roles that it gives them, and the groups whose members are its members, too. */
@ApiTags('groups')
@Controller('tenants/:tenantId/groups/:groupId')
@UsePipes(strictValidation)
export class GroupPartsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Get('members')
  @Requires('group:read', 'List the members of a group')
  @ApiOkResponse({ type: GroupPartPage })
  listGroupMembers(@Param() group: GroupParams, @Query() query: ListQuery): Promise<GroupPartPage> {
    return this.list(group, 'user', query);
  }

  @Put('members/:userId')
  @HttpCode(204)
  @Requires('group:manage', 'Add a member to a group')
  @ApiNoContentResponse()
  addGroupMember(
    @Param() { userId, ...group }: GroupParams & { userId: string },
    @Req() request: Request,
  ): Promise<void> {
    return this.add(group, 'user', userId, request);
  }

  @Delete('members/:userId')
  @HttpCode(204)
  @Requires('group:manage', 'Remove a member from a group')
  @ApiNoContentResponse()
  removeGroupMember(
    @Param() { userId, ...group }: GroupParams & { userId: string },
    @Req() request: Request,
  ): Promise<void> {
    return this.remove(group, 'user', userId, request);
  }

  @Get('roles')
  @Requires('group:read', 'List the roles of a group')
  @ApiOkResponse({ type: GroupPartPage })
  listGroupRoles(@Param() group: GroupParams, @Query() query: ListQuery): Promise<GroupPartPage> {
    return this.list(group, 'role', query);
  }

  @Put('roles/:roleId')
  @HttpCode(204)
  @Requires('group:manage', 'Give a role to a group')
  @ApiNoContentResponse()
  addGroupRole(
    @Param() { roleId, ...group }: GroupParams & { roleId: string },
    @Req() request: Request,
  ): Promise<void> {
    return this.add(group, 'role', roleId, request);
  }

  @Delete('roles/:roleId')
  @HttpCode(204)
  @Requires('group:manage', 'Take a role from a group')
  @ApiNoContentResponse()
  removeGroupRole(
    @Param() { roleId, ...group }: GroupParams & { roleId: string },
    @Req() request: Request,
  ): Promise<void> {
    return this.remove(group, 'role', roleId, request);
  }

  @Get('groups')
  @Requires('group:read', 'List the groups that a group holds')
  @ApiOkResponse({ type: GroupPartPage })
  listNestedGroups(@Param() group: GroupParams, @Query() query: ListQuery): Promise<GroupPartPage> {
    return this.list(group, 'group', query);
  }

  @Put('groups/:nestedGroupId')
  @HttpCode(204)
  @Requires('group:manage', 'Put a group into a group')
  @ApiNoContentResponse({ description: 'Members of the inner group are members of the outer one, too.' })
  addNestedGroup(
    @Param() { nestedGroupId, ...group }: GroupParams & { nestedGroupId: string },
    @Req() request: Request,
  ): Promise<void> {
    return this.add(group, 'group', nestedGroupId, request);
  }

  @Delete('groups/:nestedGroupId')
  @HttpCode(204)
  @Requires('group:manage', 'Take a group out of a group')
  @ApiNoContentResponse()
  removeNestedGroup(
    @Param() { nestedGroupId, ...group }: GroupParams & { nestedGroupId: string },
    @Req() request: Request,
  ): Promise<void> {
    return this.remove(group, 'group', nestedGroupId, request);
  }

  private async list(group: GroupParams, part: GroupPart, { limit, cursor }: ListQuery): Promise<GroupPartPage> {
    await this.queries.execute(new GetGroup(group));
    const scope = `group ${group.tenantId}/${group.groupId} ${part}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const ids = await this.queries.execute(new ListGroupParts(group, part, after, limit));
    return toPage(ids, limit, { item: (id) => ({ id }), cursor: (last) => this.cursors.encode(scope, last) });
  }

  private async add(group: GroupParams, kind: GroupPart, id: string, request: Request): Promise<void> {
    await this.commands.execute(new AddToGroup(group, { kind, id }, callerOf(request)));
  }

  private async remove(group: GroupParams, kind: GroupPart, id: string, request: Request): Promise<void> {
    await this.commands.execute(new RemoveFromGroup(group, { kind, id }, callerOf(request)));
  }
}
