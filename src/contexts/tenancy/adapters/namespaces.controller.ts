import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NotInSystem, Requires, RequiresForEach } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { visibleRows } from '../../../platform/http/visible-rows.js';
import { strictValidation } from '../../../platform/http/validation.js';
import type { NamespaceView } from '../application/ports.js';
import {
  CreateNamespace,
  DeleteNamespace,
  GetNamespace,
  ListNamespaces,
  RenameNamespace,
} from '../application/namespaces.js';
import { CreateBody, DeleteQuery, NamespaceDto, NamespacePage, RenameBody, toNamespaceDto } from './tenancy.dto.js';

@ApiTags('namespaces')
@Controller('tenants/:tenantId/namespaces')
@UsePipes(strictValidation)
export class NamespacesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Requires('namespace:create', 'Create a namespace')
  @NotInSystem()
  @Idempotent()
  @ApiCreatedResponse({ type: NamespaceDto })
  async createNamespace(
    @Param('tenantId') tenantId: string,
    @Body() body: CreateBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<NamespaceDto> {
    const namespace = await this.commands.execute(new CreateNamespace(tenantId, body, actorOf(request)));
    created(reply, `/tenants/${tenantId}/namespaces/${namespace.namespaceId}`, namespace.version);
    return toNamespaceDto(namespace);
  }

  @Get()
  @RequiresForEach('namespace:read', 'List namespaces')
  @ApiOkResponse({ type: NamespacePage })
  async listNamespaces(
    @Param('tenantId') tenantId: string,
    @Query() { limit, cursor }: ListQuery,
    @Req() { access }: Request,
  ): Promise<NamespacePage> {
    const scope = `namespaces ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await visibleRows<NamespaceView>(
      { after, limit },
      (from, most) => this.queries.execute(new ListNamespaces(tenantId, from, most)),
      ({ namespaceId }) => namespaceId,
      ({ namespaceId }) => access!.allows('namespace:read', `tenants/${tenantId}/namespaces/${namespaceId}`),
    );
    return toPage(rows, limit, {
      item: toNamespaceDto,
      cursor: (last) => this.cursors.encode(scope, last.namespaceId),
    });
  }

  @Get(':namespaceId')
  @Requires('namespace:read', 'Show a namespace')
  @ApiOkResponse({ type: NamespaceDto })
  async getNamespace(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<NamespaceDto> {
    const namespace = await this.queries.execute(new GetNamespace({ tenantId, namespaceId }));
    showVersion(reply, namespace.version);
    return toNamespaceDto(namespace);
  }

  @Patch(':namespaceId')
  @Requires('namespace:update', 'Rename a namespace')
  @NotInSystem()
  @ApiOkResponse({ type: NamespaceDto })
  async updateNamespace(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Body() { name }: RenameBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<NamespaceDto> {
    const command = new RenameNamespace({ tenantId, namespaceId }, name, actorOf(request), expectedVersion(request));
    const namespace = await this.commands.execute(command);
    showVersion(reply, namespace.version);
    return toNamespaceDto(namespace);
  }

  @Delete(':namespaceId')
  @HttpCode(204)
  @Requires('namespace:delete', 'Delete a namespace', 'With `force`, also one that is not empty.')
  @NotInSystem()
  @ApiNoContentResponse()
  async deleteNamespace(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Query() { force }: DeleteQuery,
    @Req() request: Request,
  ): Promise<void> {
    const ref = { tenantId, namespaceId };
    await this.commands.execute(new DeleteNamespace(ref, force === 'true', actorOf(request), expectedVersion(request)));
  }
}
