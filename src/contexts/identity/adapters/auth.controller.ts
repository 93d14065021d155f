import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public, Requires } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { actorOf } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { ListSessions } from '../application/sessions/list-sessions.js';
import { LogIn } from '../application/sessions/log-in.js';
import { LogOut } from '../application/sessions/log-out.js';
import { RefreshSession } from '../application/sessions/refresh-session.js';
import { RevokeSession } from '../application/sessions/revoke-session.js';
import { LoginBody, RefreshBody, SessionPage, toSessionDto, toTokensDto, TokensDto } from './identity.dto.js';

@ApiTags('auth')
@Controller('auth')
@UsePipes(strictValidation)
export class AuthController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('login')
  @HttpCode(200)
  @Public('Log in')
  @ApiOkResponse({ type: TokensDto })
  async login(@Body() { email, password }: LoginBody, @Req() request: Request): Promise<TokensDto> {
    return toTokensDto(await this.commands.execute(new LogIn(email, password, actorOf(request))));
  }

  @Post('refresh')
  @HttpCode(200)
  @Public('Exchange a refresh token for new tokens', 'It works once.')
  @ApiOkResponse({ type: TokensDto })
  async refreshTokens(@Body() { refreshToken }: RefreshBody, @Req() request: Request): Promise<TokensDto> {
    return toTokensDto(await this.commands.execute(new RefreshSession(refreshToken, actorOf(request))));
  }

  @Post('logout')
  @HttpCode(204)
  @Requires('session:end', 'End this session')
  @ApiNoContentResponse({ description: 'The access token stops working at once.' })
  async logout(@Req() request: Request): Promise<void> {
    const { sessionId, userId } = request.principal!;
    if (sessionId === undefined) return;
    await this.commands.execute(new LogOut({ sessionId, userId }, actorOf(request)));
  }

  @Get('sessions')
  @Requires('session:read', 'List the own sessions', 'The newest first.')
  @ApiOkResponse({ type: SessionPage })
  async listSessions(@Req() { principal }: Request): Promise<SessionPage> {
    const sessions = await this.queries.execute(new ListSessions(principal!.userId));
    return { items: sessions.map((session) => toSessionDto(session, principal!.sessionId)), nextCursor: null };
  }

  @Delete('sessions/:sessionId')
  @HttpCode(204)
  @Requires('session:end', 'End one of the own sessions')
  @ApiNoContentResponse({ description: 'Its tokens stop working at once.' })
  async endSession(@Param('sessionId') sessionId: string, @Req() request: Request): Promise<void> {
    const { userId } = request.principal!;
    await this.commands.execute(new RevokeSession({ sessionId, userId }, actorOf(request)));
  }
}
