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
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
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
import { groupNotFound, type GroupPart } from '../domain/group.js';
import { GroupBody, GroupChangeBody } from './authz.dto.js';
import { toGroupDto } from './authz-views.js';

interface GroupParams {
  readonly tenantId: string;
  readonly groupId: string;
}

/** As they stand in paths. */
const PARTS: Readonly<Record<string, GroupPart>> = { members: 'user', roles: 'role', groups: 'group' };

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
  async create(
    @Param('tenantId') tenantId: string,
    @Body() { id, name }: GroupBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<object> {
    const change = { kind: 'create', name: name ?? id ?? 'Group' } as const;
    const group = (await this.change({ tenantId, ...(id !== undefined && { groupId: id }) }, change, request))!;
    created(reply, `/tenants/${tenantId}/groups/${group.groupId}`, group.version);
    return toGroupDto(group);
  }

  @Get()
  @Requires('group:read', 'List groups')
  async list(@Param('tenantId') tenantId: string, @Query() { limit, cursor }: ListQuery): Promise<object> {
    const scope = `groups ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.groups.list(tenantId, after, limit + 1);
    return toPage(rows, limit, { item: toGroupDto, cursor: (last) => this.cursors.encode(scope, last.groupId) });
  }

  @Get(':groupId')
  @Requires('group:read', 'Show a group')
  async get(@Param() ref: GroupParams, @Res({ passthrough: true }) reply: Reply): Promise<object> {
    const group = await this.groups.find(ref);
    if (!group) throw groupNotFound({ ...ref, tenantUid: '' });
    showVersion(reply, group.version);
    return toGroupDto(group);
  }

  @Patch(':groupId')
  @Requires('group:manage', 'Rename a group')
  async rename(@Param() ref: GroupParams, @Body() { name }: GroupChangeBody, @Req() request: Request): Promise<object> {
    return toGroupDto((await this.change(ref, { kind: 'rename', name }, request))!);
  }

  @Delete(':groupId')
  @HttpCode(204)
  @Requires('group:manage', 'Delete a group: its members lose what it gave them')
  @ApiNoContentResponse()
  async delete(@Param() ref: GroupParams, @Req() request: Request): Promise<void> {
    await this.change(ref, { kind: 'delete' }, request);
  }

  @Get([':groupId/members', ':groupId/roles', ':groupId/groups'])
  @Requires('group:read', 'List the members of a group, its roles, or the groups that it holds')
  async parts(
    @Param() ref: GroupParams,
    @Query() { limit, cursor }: ListQuery,
    @Req() request: Request,
  ): Promise<object> {
    if (!(await this.groups.find(ref))) throw groupNotFound({ ...ref, tenantUid: '' });
    const part = partOf(request, -1);
    const scope = `group ${ref.tenantId}/${ref.groupId} ${part}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const ids = await this.groups.parts(ref, part, after, limit + 1);
    return toPage(ids, limit, { item: (id) => ({ id }), cursor: (last) => this.cursors.encode(scope, last) });
  }

  @Put([':groupId/members/:partId', ':groupId/roles/:partId', ':groupId/groups/:partId'])
  @HttpCode(204)
  @Requires('group:manage', 'Add a member, a role or a nested group')
  @ApiNoContentResponse()
  async add(@Param() { partId, ...ref }: GroupParams & { partId: string }, @Req() request: Request): Promise<void> {
    await this.change(ref, { kind: 'add', part: partOf(request, -2), id: partId }, request);
  }

  @Delete([':groupId/members/:partId', ':groupId/roles/:partId', ':groupId/groups/:partId'])
  @HttpCode(204)
  @Requires('group:manage', 'Remove a member, a role or a nested group')
  @ApiNoContentResponse()
  async remove(@Param() { partId, ...ref }: GroupParams & { partId: string }, @Req() request: Request): Promise<void> {
    await this.change(ref, { kind: 'remove', part: partOf(request, -2), id: partId }, request);
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

/** Which of the three the route is about: the last or next to last segment of its template. */
const partOf = (request: Request, at: number): GroupPart => PARTS[request.routeOptions.url!.split('/').at(at)!]!;
