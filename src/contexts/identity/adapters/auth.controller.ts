import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public, Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { actorOf, expectedVersion, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { Logins } from '../application/logins.js';
import { Sessions } from '../application/sessions.js';
import { ChangeUser, GetUser } from '../application/users.js';
import {
  LoginBody,
  ProfileBody,
  RefreshBody,
  SessionPage,
  toSessionDto,
  toTokensDto,
  TokensDto,
  toUserDto,
  UserDto,
} from './identity.dto.js';

@ApiTags('auth')
@Controller('auth')
@UsePipes(strictValidation)
export class AuthController {
  constructor(
    private readonly logins: Logins,
    private readonly sessions: Sessions,
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('login')
  @HttpCode(200)
  @Public('Log in')
  @ApiOkResponse({ type: TokensDto })
  async login(@Body() { email, password }: LoginBody, @Req() request: Request): Promise<TokensDto> {
    return toTokensDto(await this.logins.login(email, password, actorOf(request)));
  }

  @Post('refresh')
  @HttpCode(200)
  @Public('Exchange a refresh token for a new pair')
  @ApiOkResponse({ type: TokensDto })
  async refresh(@Body() { refreshToken }: RefreshBody, @Req() request: Request): Promise<TokensDto> {
    return toTokensDto(await this.sessions.refresh(refreshToken, actorOf(request)));
  }

  @Post('logout')
  @HttpCode(204)
  @Requires('session:end', 'End this session')
  @ApiNoContentResponse({ description: 'The access token stops working at once.' })
  async logout(@Req() request: Request): Promise<void> {
    const { sessionId, userId } = request.principal!;
    if (sessionId !== undefined) await this.sessions.end({ sessionId, userId }, 'logout', actorOf(request));
  }

  @Get('me')
  @Requires('profile:read', 'Show the own account')
  @ApiOkResponse({ type: UserDto })
  async me(@Req() { principal }: Request, @Res({ passthrough: true }) reply: Reply): Promise<UserDto> {
    const account = await this.queries.execute(new GetUser(principal!.userId));
    showVersion(reply, account.version);
    return toUserDto(account);
  }

  @Patch('me')
  @Requires('profile:update', 'Change the own profile')
  @ApiOkResponse({ type: UserDto })
  async changeMe(
    @Body() { name }: ProfileBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserDto> {
    const { userId } = request.principal!;
    const command = new ChangeUser(userId, { name }, actorOf(request), expectedVersion(request));
    const account = await this.commands.execute(command);
    showVersion(reply, account.version);
    return toUserDto(account);
  }

  @Get('sessions')
  @Requires('session:read', 'List the own sessions, the newest first')
  @ApiOkResponse({ type: SessionPage })
  async list(@Req() { principal }: Request): Promise<SessionPage> {
    const sessions = await this.sessions.list(principal!.userId);
    return { items: sessions.map((session) => toSessionDto(session, principal!.sessionId)), nextCursor: null };
  }

  @Delete('sessions/:sessionId')
  @HttpCode(204)
  @Requires('session:end', 'End one of the own sessions')
  @ApiNoContentResponse({ description: 'Its tokens stop working at once.' })
  async end(@Param('sessionId') sessionId: string, @Req() request: Request): Promise<void> {
    await this.sessions.revoke(request.principal!.userId, sessionId, actorOf(request));
  }
}
