import { Body, Controller, Get, HttpCode, Post, Req, Res, UsePipes } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { Public, Requires } from '../../../platform/http/access.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { Authenticator } from '../application/authenticator.js';
import { Credentials } from '../application/ports.js';
import { Sessions, unauthenticated, type TokenPair } from '../application/sessions.js';

export class LoginBody {
  @ApiProperty({ example: 'admin@event-store.local' })
  @IsString()
  @MaxLength(320)
  readonly email!: string;

  @ApiProperty({ maxLength: 1_024 })
  @IsString()
  @MaxLength(1_024)
  readonly password!: string;
}

export class RefreshBody {
  @ApiProperty()
  @IsString()
  @MaxLength(256)
  readonly refreshToken!: string;
}

export class UserDto {
  @ApiProperty()
  readonly id!: string;
  @ApiProperty()
  readonly email!: string;
  @ApiProperty()
  readonly name!: string;
}

export class TokensDto {
  @ApiProperty()
  readonly accessToken!: string;
  @ApiProperty({ description: 'Works once; POST /auth/refresh answers the next one.' })
  readonly refreshToken!: string;
  @ApiProperty({ description: 'Seconds' })
  readonly expiresIn!: number;
  @ApiProperty()
  readonly sessionId!: string;
  @ApiProperty({ type: UserDto })
  readonly user!: UserDto;
}

@ApiTags('auth')
@Controller('auth')
@UsePipes(strictValidation)
export class AuthController {
  constructor(
    private readonly sessions: Sessions,
    private readonly authenticator: Authenticator,
    private readonly credentials: Credentials,
  ) {}

  @Post('login')
  @HttpCode(200)
  @Public('Log in')
  @ApiOkResponse({ type: TokensDto })
  async login(
    @Body() { email, password }: LoginBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TokensDto> {
    reply.header('cache-control', 'no-store');
    return toTokens(await this.sessions.login(email, password, request.ip));
  }

  @Post('refresh')
  @HttpCode(200)
  @Public('Exchange a refresh token for a new pair')
  @ApiOkResponse({ type: TokensDto })
  async refresh(@Body() { refreshToken }: RefreshBody, @Res({ passthrough: true }) reply: Reply): Promise<TokensDto> {
    reply.header('cache-control', 'no-store');
    return toTokens(await this.sessions.refresh(refreshToken));
  }

  @Post('logout')
  @HttpCode(204)
  @Requires('session:end', 'End this session')
  @ApiNoContentResponse({ description: 'The access token stops working at once.' })
  async logout(@Req() { principal }: Request): Promise<void> {
    if (principal?.sessionId === undefined) return;
    await this.sessions.end(principal.sessionId);
    this.authenticator.forget(principal.sessionId);
  }

  @Get('me')
  @Requires('profile:read', 'Show the own account')
  @ApiOkResponse({ type: UserDto })
  async me(@Req() { principal }: Request): Promise<UserDto> {
    const account = await this.credentials.findUser(principal!.userId);
    if (!account) throw unauthenticated();
    return { id: account.userId, email: account.email, name: account.name };
  }
}

const toTokens = ({ accessToken, refreshToken, expiresIn, sessionId, account }: TokenPair): TokensDto => ({
  accessToken,
  refreshToken,
  expiresIn,
  sessionId,
  user: { id: account.userId, email: account.email, name: account.name },
});
