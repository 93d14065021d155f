import { Body, Controller, Get, Header, Param, Post, Put, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { tenancyError, TenantCatalog } from '../../tenancy/index.js';
import { AuditResponses } from './audit-responses.js';
import { ApiExportResponse } from './audit.docs.js';
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
    private readonly answers: AuditResponses,
    private readonly tenants: TenantCatalog,
  ) {}

  @Get()
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List audit records', 'What was done in the tenant, the newest first.')
  @ApiOkResponse({ type: AuditPage })
  async listAuditRecords(@Param('tenantId') tenantId: string, @Query() query: AuditQuery): Promise<AuditPage> {
    await this.requireTenant(tenantId);
    return this.answers.list(tenantId, query);
  }

  @Get('users/:userId')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List what a user did in a tenant', 'Also by their keys; the newest first.')
  @ApiOkResponse({ type: AuditPage })
  async listUserAuditRecords(
    @Param('tenantId') tenantId: string,
    @Param('userId') user: string,
    @Query() query: AuditQuery,
  ): Promise<AuditPage> {
    await this.requireTenant(tenantId);
    return this.answers.list(tenantId, { ...query, user });
  }

  @Get('verify')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Verify the audit of a tenant', 'The chain is computed again from the stored records.')
  @ApiOkResponse({ type: TenantAuditVerdictDto })
  async verifyAudit(
    @Param('tenantId') tenantId: string,
    @Query() query: VerifyAuditQuery,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TenantAuditVerdictDto> {
    await this.requireTenant(tenantId);
    return this.answers.verifyTenant(tenantId, query, reply);
  }

  @Post('export')
  @Requires('audit:export', 'Export audit records', 'The oldest first.')
  @ApiExportResponse()
  async exportAuditRecords(
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
  @Requires('audit:read', 'Show the retention of audit records')
  @ApiOkResponse({ type: AuditRetentionDto })
  async getAuditRetention(
    @Param('tenantId') tenantId: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AuditRetentionDto> {
    await this.requireTenant(tenantId);
    return this.answers.retention(tenantId, reply);
  }

  @Put('retention')
  @Requires('audit:manage', 'Change the retention of audit records')
  @ApiOkResponse({ type: AuditRetentionDto })
  async setAuditRetention(
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
