import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { actorOf, created, expectedVersion, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { CreateTenant, DeleteTenant, GetTenant, ListTenants, RenameTenant } from '../application/tenants.js';
import { CreateBody, DeleteQuery, RenameBody, TenantDto, TenantPage, toTenantDto } from './tenancy.dto.js';

@ApiTags('tenants')
@Controller('tenants')
@UsePipes(strictValidation)
export class TenantsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Requires('tenant:create', 'Create a tenant')
  @Idempotent()
  @ApiCreatedResponse({ type: TenantDto })
  async create(
    @Body() body: CreateBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDto> {
    const tenant = await this.commands.execute(new CreateTenant(body, actorOf(request)));
    created(reply, `/tenants/${tenant.tenantId}`, tenant.version);
    return toTenantDto(tenant);
  }

  @Get()
  @Requires('tenant:read', 'List tenants')
  @ApiOkResponse({ type: TenantPage })
  async list(@Query() { limit, cursor }: ListQuery): Promise<TenantPage> {
    const after = cursor === undefined ? '' : this.cursors.decode<string>('tenants', cursor);
    const rows = await this.queries.execute(new ListTenants(after, limit));
    return toPage(rows, limit, { item: toTenantDto, cursor: (last) => this.cursors.encode('tenants', last.tenantId) });
  }

  @Get(':tenantId')
  @Requires('tenant:read', 'Show a tenant')
  @ApiOkResponse({ type: TenantDto })
  async get(@Param('tenantId') tenantId: string, @Res({ passthrough: true }) reply: Reply): Promise<TenantDto> {
    const tenant = await this.queries.execute(new GetTenant(tenantId));
    showVersion(reply, tenant.version);
    return toTenantDto(tenant);
  }

  @Patch(':tenantId')
  @Requires('tenant:update', 'Rename a tenant')
  @ApiOkResponse({ type: TenantDto })
  async rename(
    @Param('tenantId') tenantId: string,
    @Body() { name }: RenameBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDto> {
    const command = new RenameTenant(tenantId, name, actorOf(request), expectedVersion(request));
    const tenant = await this.commands.execute(command);
    showVersion(reply, tenant.version);
    return toTenantDto(tenant);
  }

  @Delete(':tenantId')
  @HttpCode(204)
  @Requires('tenant:delete', 'Delete a tenant')
  @ApiNoContentResponse()
  async delete(
    @Param('tenantId') tenantId: string,
    @Query() { force }: DeleteQuery,
    @Req() request: Request,
  ): Promise<void> {
    await this.commands.execute(
      new DeleteTenant(tenantId, force === 'true', actorOf(request), expectedVersion(request)),
    );
  }
}
