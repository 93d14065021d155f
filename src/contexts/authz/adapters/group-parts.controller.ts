import { Controller, Delete, Get, HttpCode, Param, Put, Query, Req, UsePipes } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { ChangeGroup } from '../application/groups.js';
import { GroupCatalog } from '../application/ports.js';
import { groupNotFound, type GroupPart } from '../domain/group.js';
import { GroupPartPage } from './authz-answers.dto.js';

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
    private readonly groups: GroupCatalog,
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
  addGroupMember(@Param() { userId, ...group }: GroupParams & { userId: string }, @Req() request: Request) {
    return this.change(group, { kind: 'add', part: 'user', id: userId }, request);
  }

  @Delete('members/:userId')
  @HttpCode(204)
  @Requires('group:manage', 'Remove a member from a group')
  @ApiNoContentResponse()
  removeGroupMember(@Param() { userId, ...group }: GroupParams & { userId: string }, @Req() request: Request) {
    return this.change(group, { kind: 'remove', part: 'user', id: userId }, request);
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
  addGroupRole(@Param() { roleId, ...group }: GroupParams & { roleId: string }, @Req() request: Request) {
    return this.change(group, { kind: 'add', part: 'role', id: roleId }, request);
  }

  @Delete('roles/:roleId')
  @HttpCode(204)
  @Requires('group:manage', 'Take a role from a group')
  @ApiNoContentResponse()
  removeGroupRole(@Param() { roleId, ...group }: GroupParams & { roleId: string }, @Req() request: Request) {
    return this.change(group, { kind: 'remove', part: 'role', id: roleId }, request);
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
  @ApiNoContentResponse({ description: 'Whoever is a member of the inner group is a member of the outer one, too.' })
  addNestedGroup(
    @Param() { nestedGroupId, ...group }: GroupParams & { nestedGroupId: string },
    @Req() request: Request,
  ) {
    return this.change(group, { kind: 'add', part: 'group', id: nestedGroupId }, request);
  }

  @Delete('groups/:nestedGroupId')
  @HttpCode(204)
  @Requires('group:manage', 'Take a group out of a group')
  @ApiNoContentResponse()
  removeNestedGroup(
    @Param() { nestedGroupId, ...group }: GroupParams & { nestedGroupId: string },
    @Req() request: Request,
  ) {
    return this.change(group, { kind: 'remove', part: 'group', id: nestedGroupId }, request);
  }

  private async list(group: GroupParams, part: GroupPart, { limit, cursor }: ListQuery): Promise<GroupPartPage> {
    if (!(await this.groups.find(group))) throw groupNotFound({ ...group, tenantUid: '' });
    const scope = `group ${group.tenantId}/${group.groupId} ${part}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const ids = await this.groups.parts(group, part, after, limit + 1);
    return toPage(ids, limit, { item: (id) => ({ id }), cursor: (last) => this.cursors.encode(scope, last) });
  }

  private async change(
    group: GroupParams,
    change: { readonly kind: 'add' | 'remove'; readonly part: GroupPart; readonly id: string },
    request: Request,
  ): Promise<void> {
    await this.commands.execute(
      new ChangeGroup(group, change, actorOf(request), request.principal!, expectedVersion(request)),
    );
  }
}
