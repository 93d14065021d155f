import { Body, Controller, Get, Header, Param, Post, Put, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { tenancyError, TenantCatalog } from '../../tenancy/index.js';
import { AuditAnswers } from './audit-answers.js';
import {
  AuditPage,
  AuditQuery,
  AuditRetentionBody,
  AuditRetentionDto,
  ExportAuditBody,
  TenantAuditVerdictDto,
  VerifyAuditQuery,
} from './audit.dto.js';

/** What was done to and in one tenant. */
@ApiTags('audit')
@Controller('tenants/:tenantId/audit')
@UsePipes(strictValidation)
export class TenantAuditController {
  constructor(
    private readonly answers: AuditAnswers,
    private readonly tenants: TenantCatalog,
  ) {}

  @Get()
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List what was done in the tenant, the newest first')
  @ApiOkResponse({ type: AuditPage })
  async list(@Param('tenantId') tenantId: string, @Query() query: AuditQuery): Promise<AuditPage> {
    await this.requireTenant(tenantId);
    return this.answers.list(tenantId, query);
  }

  @Get('users/:userId')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List what a user did in the tenant, also by his keys')
  @ApiOkResponse({ type: AuditPage })
  async user(
    @Param('tenantId') tenantId: string,
    @Param('userId') user: string,
    @Query() query: AuditQuery,
  ): Promise<AuditPage> {
    await this.requireTenant(tenantId);
    return this.answers.list(tenantId, { ...query, user });
  }

  @Get('verify')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Compute the chain of the records anew')
  @ApiOkResponse({ type: TenantAuditVerdictDto })
  async verify(
    @Param('tenantId') tenantId: string,
    @Query() query: VerifyAuditQuery,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantAuditVerdictDto> {
    await this.requireTenant(tenantId);
    return this.answers.verifyTenant(tenantId, query, reply);
  }

  @Post('export')
  @Requires('audit:export', 'Export the records, the oldest first')
  @ApiOkResponse({ content: { 'application/x-ndjson': {}, 'text/csv': {} } })
  async export(
    @Param('tenantId') tenantId: string,
    @Body() body: ExportAuditBody,
    @Req() request: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    await this.requireTenant(tenantId);
    await this.answers.export(tenantId, body, request, reply);
  }

  @Get('retention')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Show how long records are kept')
  @ApiOkResponse({ type: AuditRetentionDto })
  async retention(
    @Param('tenantId') tenantId: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AuditRetentionDto> {
    await this.requireTenant(tenantId);
    return this.answers.retention(tenantId, reply);
  }

  @Put('retention')
  @Requires('audit:manage', 'Change how long records are kept')
  @ApiOkResponse({ type: AuditRetentionDto })
  async changeRetention(
    @Param('tenantId') tenantId: string,
    @Body() { maxAge }: AuditRetentionBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AuditRetentionDto> {
    await this.requireTenant(tenantId);
    return this.answers.changeRetention(tenantId, maxAge, request, reply);
  }

  private async requireTenant(tenantId: string): Promise<void> {
    if (!(await this.tenants.find(tenantId)))
      throw tenancyError('tenant-not-found', `There is no tenant "${tenantId}".`);
  }
}
