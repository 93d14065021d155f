import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public, Requires } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { actorOf } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { Logins } from '../application/sessions/logins.js';
import { Sessions } from '../application/sessions/sessions.js';
import { LoginBody, RefreshBody, SessionPage, toSessionDto, toTokensDto, TokensDto } from './identity.dto.js';

@ApiTags('auth')
@Controller('auth')
@UsePipes(strictValidation)
export class AuthController {
  constructor(
    private readonly logins: Logins,
    private readonly sessions: Sessions,
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
  @Public('Exchange a refresh token for new tokens', 'It works once.')
  @ApiOkResponse({ type: TokensDto })
  async refreshTokens(@Body() { refreshToken }: RefreshBody, @Req() request: Request): Promise<TokensDto> {
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

  @Get('sessions')
  @Requires('session:read', 'List the own sessions', 'The newest first.')
  @ApiOkResponse({ type: SessionPage })
  async listSessions(@Req() { principal }: Request): Promise<SessionPage> {
    const sessions = await this.sessions.list(principal!.userId);
    return { items: sessions.map((session) => toSessionDto(session, principal!.sessionId)), nextCursor: null };
  }

  @Delete('sessions/:sessionId')
  @HttpCode(204)
  @Requires('session:end', 'End one of the own sessions')
  @ApiNoContentResponse({ description: 'Its tokens stop working at once.' })
  async endSession(@Param('sessionId') sessionId: string, @Req() request: Request): Promise<void> {
    await this.sessions.revoke(request.principal!.userId, sessionId, actorOf(request));
  }
}
