import { Body, Controller, Get, Header, Param, Post, Put, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { AuditAnswers } from './audit-answers.js';
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
  constructor(private readonly answers: AuditAnswers) {}

  @Get()
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List what was done in all tenants, the newest first')
  @ApiOkResponse({ type: AuditPage })
  list(@Query() query: AuditQuery): Promise<AuditPage> {
    return this.answers.list(undefined, query);
  }

  @Get('users/:userId')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'List what a user did in all tenants, also by his keys')
  @ApiOkResponse({ type: AuditPage })
  user(@Param('userId') user: string, @Query() query: AuditQuery): Promise<AuditPage> {
    return this.answers.list(undefined, { ...query, user });
  }

  @Get('verify')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Compute the chains of all tenants anew')
  @ApiOkResponse({ type: SystemAuditVerdictDto })
  verify(@Query() query: VerifyAuditQuery, @Res({ passthrough: true }) reply: Reply): Promise<SystemAuditVerdictDto> {
    return this.answers.verifyAll(query, reply);
  }

  @Post('export')
  @Requires('audit:export', 'Export the records of all tenants, the oldest first')
  @ApiOkResponse({ content: { 'application/x-ndjson': {}, 'text/csv': {} } })
  export(@Body() body: ExportAuditBody, @Req() request: Request, @Res() reply: Reply): Promise<void> {
    return this.answers.export(undefined, body, request, reply);
  }

  @Get('retention')
  @Header('cache-control', 'no-store')
  @Requires('audit:read', 'Show how long the records of the system itself are kept')
  @ApiOkResponse({ type: AuditRetentionDto })
  retention(@Res({ passthrough: true }) reply: Reply): Promise<AuditRetentionDto> {
    return this.answers.retention(undefined, reply);
  }

  @Put('retention')
  @Requires('audit:manage', 'Change how long the records of the system itself are kept')
  @ApiOkResponse({ type: AuditRetentionDto })
  changeRetention(
    @Body() { maxAge }: AuditRetentionBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<AuditRetentionDto> {
    return this.answers.changeRetention(undefined, maxAge, request, reply);
  }
}
