import { Body, Controller, Get, Patch, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { ChangeUser, GetUser, type Account } from '../../identity/index.js';
import { GetOwnPermissions } from '../application/own-permissions.js';
import { OwnProfileDto, OwnProfileQuery, ProfileBody, toOwnProfileDto } from './own-profile.dto.js';

/** The account belongs to identity; its memberships and permissions are known here, later in the order of contexts. */
@ApiTags('auth')
@Controller('auth/me')
@UsePipes(strictValidation)
export class OwnProfileController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @Requires('profile:read', 'Show the own account', 'With what it belongs to and may do.')
  @ApiOkResponse({ type: OwnProfileDto })
  async getOwnProfile(
    @Query() { tenant }: OwnProfileQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<OwnProfileDto> {
    return this.answer(await this.queries.execute(new GetUser(request.principal!.userId)), tenant, request, reply);
  }

  @Patch()
  @Requires('profile:update', 'Change the own account')
  @ApiOkResponse({ type: OwnProfileDto })
  async updateOwnProfile(
    @Body() { name }: ProfileBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<OwnProfileDto> {
    const { userId } = request.principal!;
    const command = new ChangeUser(userId, { name }, actorOf(request), expectedVersion(request));
    return this.answer(await this.commands.execute(command), undefined, request, reply);
  }

  private async answer(
    account: Account,
    tenant: string | undefined,
    { principal }: Request,
    reply: Reply,
  ): Promise<OwnProfileDto> {
    showVersion(reply, account.version);
    const permissions = await this.queries.execute(new GetOwnPermissions(principal!, tenant));
    return toOwnProfileDto(account, permissions, principal!);
  }
}
