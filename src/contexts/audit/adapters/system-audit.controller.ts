import { Body, Controller, Get, Header, Param, Post, Put, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { AuditResponses } from './audit-responses.js';
import { ApiExportResponse } from './audit.docs.js';
import {
  AuditPage,
  AuditQuery,
  AuditRetentionBody,
  AuditRetentionDto,
  ExportAuditBody,
  SystemAuditVerdictDto,
  VerifyAuditQuery,
} from './audit.dto.js';

/** What was done in all tenants and in the system itself. */
@ApiTags('audit')
@Controller('audit')
@UsePipes(strictValidation)
export class SystemAuditController {
  constructor(private readonly answers: AuditResponses) {}

  @Get()
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List audit records of all tenants', 'The newest first.')
  @ApiOkResponse({ type: AuditPage })
  listSystemAuditRecords(@Query() query: AuditQuery): Promise<AuditPage> {
    return this.answers.list(undefined, query);
  }

  @Get('users/:userId')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List what a user did in all tenants', 'Also by their keys; the newest first.')
  @ApiOkResponse({ type: AuditPage })
  listSystemUserAuditRecords(@Param('userId') user: string, @Query() query: AuditQuery): Promise<AuditPage> {
    return this.answers.list(undefined, { ...query, user });
  }

  @Get('verify')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Verify the audit of all tenants', 'All chains are computed again from the stored records.')
  @ApiOkResponse({ type: SystemAuditVerdictDto })
  verifySystemAudit(
    @Query() query: VerifyAuditQuery,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<SystemAuditVerdictDto> {
    return this.answers.verifyAll(query, reply);
  }

  @Post('export')
  @Requires('audit:export', 'Export audit records of all tenants', 'The oldest first.')
  @ApiExportResponse()
  exportSystemAuditRecords(@Body() body: ExportAuditBody, @Req() request: Request, @Res() reply: Reply): Promise<void> {
    return this.answers.export(undefined, body, request, reply);
  }

  @Get('retention')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Show the retention of system audit records')
  @ApiOkResponse({ type: AuditRetentionDto })
  getSystemAuditRetention(@Res({ passthrough: true }) reply: Reply): Promise<AuditRetentionDto> {
    return this.answers.retention(undefined, reply);
  }

  @Put('retention')
  @Requires('audit:manage', 'Change the retention of system audit records')
  @ApiOkResponse({ type: AuditRetentionDto })
  setSystemAuditRetention(
    @Body() { maxAge }: AuditRetentionBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AuditRetentionDto> {
    return this.answers.changeRetention(undefined, maxAge, request, reply);
  }
}
