import { Controller, Get, Param, Query, Req, UsePipes } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires, RequiresForEach } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { GetTenantDeletion, ListTenantDeletions, type TenantDeletion } from '../application/tenant-deletions.js';
import { tenancyError } from '../domain/tenancy-errors.js';
import { TenantDeletionDto, TenantDeletionPage, toDeletionDto } from './tenant-deletions.dto.js';

/** Outside the tenants, so that it can still be read when the tenant is gone. */
@ApiTags('tenants')
@Controller('tenant-deletions')
@UsePipes(strictValidation)
export class TenantDeletionsController {
  constructor(
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @Requires('tenant:delete', 'List the deletions of tenants')
  @ApiOkResponse({ type: TenantDeletionPage })
  async listTenantDeletions(@Query() { limit, cursor }: ListQuery): Promise<TenantDeletionPage> {
    const after = cursor === undefined ? '' : this.cursors.decode<string>('tenant-deletions', cursor);
    const rows = await this.queries.execute(new ListTenantDeletions(after, limit));
    const next = ({ deletionId }: TenantDeletion): string => this.cursors.encode('tenant-deletions', deletionId);
    return toPage(rows, limit, { item: toDeletionDto, cursor: next });
  }

  @Get(':deletionId')
  @RequiresForEach('tenant:delete', 'Show the deletion of a tenant', 'With its progress.')
  @ApiOkResponse({ type: TenantDeletionDto })
  async getTenantDeletion(
    @Param('deletionId') deletionId: string,
    @Req() request: Request,
  ): Promise<TenantDeletionDto> {
    const job = await this.queries.execute(new GetTenantDeletion(deletionId));
    if (!job || !(await maySee(request, job)))
      throw tenancyError('tenant-deletion-not-found', `There is no deletion "${deletionId}".`);
    return toDeletionDto(job);
  }
}

/** The user who began it, and callers that may delete the tenant. When it is done the id may belong to others, who may not see it. */
async function maySee(
  { access, principal }: Request,
  { tenantId, startedBy, state }: TenantDeletion,
): Promise<boolean> {
  const resource = `tenants/${tenantId}`;
  if (startedBy === principal!.userId && access!.reaches('tenant:delete', resource)) return true;
  if (access!.allows('tenant:delete', resource)) return true;
  return state !== 'completed' && access!.allowsIn(tenantId, 'tenant:delete', resource);
}
