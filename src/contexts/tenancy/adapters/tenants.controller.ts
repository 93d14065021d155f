import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NotInSystem, Requires, RequiresForEach } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { visibleRows } from '../../../platform/http/visible-rows.js';
import { DeleteTenant } from '../application/delete-tenant.js';
import type { TenantView } from '../application/ports.js';
import {
  ActivateTenant,
  ConfigureTenant,
  CreateTenant,
  GetTenant,
  ListTenants,
  SuspendTenant,
} from '../application/tenants.js';
import {
  CreateTenantBody,
  DeleteQuery,
  SuspendBody,
  TenantChangeBody,
  TenantDto,
  TenantPage,
  toTenantDto,
} from './tenancy.dto.js';
import { TenantDeletionDto, toDeletionDto } from './tenant-deletions.dto.js';

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
  async createTenant(
    @Body() body: CreateTenantBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDto> {
    if (body.limits !== undefined) request.access!.require('tenant:limit');
    const tenant = await this.commands.execute(new CreateTenant(body, actorOf(request)));
    created(reply, `/tenants/${tenant.tenantId}`, tenant.version);
    return toTenantDto(tenant);
  }

  @Get()
  @RequiresForEach('tenant:read', 'List tenants', 'Those that the caller may see.')
  @ApiOkResponse({ type: TenantPage })
  async listTenants(@Query() { limit, cursor }: ListQuery, @Req() { access }: Request): Promise<TenantPage> {
    const after = cursor === undefined ? '' : this.cursors.decode<string>('tenants', cursor);
    const among = await access!.tenantIds();
    const rows = await visibleRows<TenantView>(
      { after, limit },
      (from, most) => this.queries.execute(new ListTenants(from, most, among)),
      ({ tenantId }) => tenantId,
      ({ tenantId }) => access!.allowsIn(tenantId, 'tenant:read', `tenants/${tenantId}`),
    );
    return toPage(rows, limit, { item: toTenantDto, cursor: (last) => this.cursors.encode('tenants', last.tenantId) });
  }

  @Get(':tenantId')
  @Requires('tenant:read', 'Show a tenant')
  @ApiOkResponse({ type: TenantDto })
  async getTenant(@Param('tenantId') tenantId: string, @Res({ passthrough: true }) reply: Reply): Promise<TenantDto> {
    const tenant = await this.queries.execute(new GetTenant(tenantId));
    showVersion(reply, tenant.version);
    return toTenantDto(tenant);
  }

  @Patch(':tenantId')
  @Requires('tenant:update', 'Change a tenant', 'Its name, its defaults and, with `tenant:limit`, its limits.')
  @NotInSystem()
  @ApiOkResponse({ type: TenantDto })
  async updateTenant(
    @Param('tenantId') tenantId: string,
    @Body() change: TenantChangeBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDto> {
    if (change.limits !== undefined) request.access!.require('tenant:limit');
    const command = new ConfigureTenant(tenantId, change, actorOf(request), expectedVersion(request));
    const tenant = await this.commands.execute(command);
    showVersion(reply, tenant.version);
    return toTenantDto(tenant);
  }

  @Post(':tenantId/suspend')
  @HttpCode(200)
  @Requires('tenant:suspend', 'Suspend a tenant', 'Requests to it are refused, and its deliveries wait.')
  @NotInSystem()
  @ApiOkResponse({ type: TenantDto })
  async suspendTenant(
    @Param('tenantId') tenantId: string,
    @Body() { reason }: SuspendBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDto> {
    const tenant = await this.commands.execute(new SuspendTenant(tenantId, reason ?? null, actorOf(request)));
    showVersion(reply, tenant.version);
    return toTenantDto(tenant);
  }

  @Post(':tenantId/activate')
  @HttpCode(200)
  @Requires('tenant:suspend', 'End the suspension of a tenant')
  @NotInSystem()
  @ApiOkResponse({ type: TenantDto })
  async activateTenant(
    @Param('tenantId') tenantId: string,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDto> {
    const tenant = await this.commands.execute(new ActivateTenant(tenantId, actorOf(request)));
    showVersion(reply, tenant.version);
    return toTenantDto(tenant);
  }

  @Delete(':tenantId')
  @HttpCode(204)
  @Requires(
    'tenant:delete',
    'Delete a tenant',
    'With `force`, also one that is not empty; a large one is removed step by step.',
  )
  @NotInSystem()
  @ApiNoContentResponse({ description: 'It is gone, with all that it held.' })
  @ApiAcceptedResponse({
    type: TenantDeletionDto,
    description: 'It is being removed; `Location` shows the progress.',
    headers: { Location: { required: true, schema: { type: 'string' }, description: 'Of the deletion.' } },
  })
  async deleteTenant(
    @Param('tenantId') tenantId: string,
    @Query() { force }: DeleteQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantDeletionDto | undefined> {
    const command = new DeleteTenant(tenantId, force === 'true', actorOf(request), expectedVersion(request));
    const job = await this.commands.execute(command);
    if (job === null || job.state === 'completed') return undefined;
    reply.status(202).header('location', `/tenant-deletions/${job.deletionId}`);
    return toDeletionDto(job);
  }
}
