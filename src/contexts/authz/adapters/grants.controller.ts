import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { actorOf, created } from '../../../platform/http/resource.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { CreateGrant, RevokeGrant } from '../application/grants/change-grants.js';
import { GetGrant, ListGrants } from '../application/grants/list-grants.js';
import type { PrincipalKind } from '../domain/grant.js';
import { GrantDto, GrantPage } from './authz-responses.dto.js';
import { GrantBody, type PrincipalDto } from './authz.dto.js';
import { toGrantDto } from './authz-views.js';
import { callerOf } from './caller.js';

interface GrantParams {
  readonly tenantId?: string;
  readonly grantId: string;
}

/** Grants of a tenant; without a tenant, those that hold in the whole system. */
@ApiTags('grants')
@Controller(['tenants/:tenantId/permissions', 'permissions'])
@UsePipes(strictValidation)
export class GrantsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Requires(
    'permission:grant',
    'Create a grant',
    'It allows or denies something to a user, a group, a role or an API key.',
  )
  @Idempotent()
  @ApiCreatedResponse({ type: GrantDto })
  async createGrant(
    @Param('tenantId') tenantId: string | undefined,
    @Body() { principal, effect, actions, resource, constraints }: GrantBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<GrantDto> {
    const settings = {
      principal: onePrincipal(principal),
      effect,
      actions,
      resource,
      constraints: constraints ?? null,
    };
    const caller = { by: actorOf(request), giver: request.principal! };
    const grant = await this.commands.execute(new CreateGrant(tenantId ?? SYSTEM_TENANT, settings, caller));
    const base = tenantId === undefined ? '' : `/tenants/${tenantId}`;
    created(reply, `${base}/permissions/${grant.grantId}`);
    return toGrantDto(grant);
  }

  @Get()
  @Requires('permission:read', 'List grants')
  @ApiOkResponse({ type: GrantPage })
  async listGrants(
    @Param('tenantId') tenantId: string = SYSTEM_TENANT,
    @Query() { limit, cursor }: ListQuery,
  ): Promise<GrantPage> {
    const scope = `permissions ${tenantId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.queries.execute(new ListGrants(tenantId, after, limit));
    return toPage(rows, limit, { item: toGrantDto, cursor: (last) => this.cursors.encode(scope, last.grantId) });
  }

  @Get(':grantId')
  @Requires('permission:read', 'Show a grant')
  @ApiOkResponse({ type: GrantDto })
  async getGrant(@Param() { tenantId = SYSTEM_TENANT, grantId }: GrantParams): Promise<GrantDto> {
    return toGrantDto(await this.queries.execute(new GetGrant({ tenantId, grantId })));
  }

  @Delete(':grantId')
  @HttpCode(204)
  @Requires('permission:grant', 'Revoke a grant')
  @ApiNoContentResponse()
  async revokeGrant(
    @Param() { tenantId = SYSTEM_TENANT, grantId }: GrantParams,
    @Req() request: Request,
  ): Promise<void> {
    await this.commands.execute(new RevokeGrant({ tenantId, grantId }, callerOf(request)));
  }
}

export function onePrincipal(principal: PrincipalDto): { kind: PrincipalKind; id: string } {
  const named = Object.entries(principal).filter((entry): entry is [PrincipalKind, string] => entry[1] !== undefined);
  const [only] = named;
  if (named.length !== 1 || !only)
    throw invalid([{ pointer: '/principal', detail: 'must name one of user, group, role and apiKey' }]);
  return { kind: only[0], id: only[1] };
}
