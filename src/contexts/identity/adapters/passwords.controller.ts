import { Body, Controller, HttpCode, Post, Req, UsePipes } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { Public, Requires } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { actorOf } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { ChangePassword } from '../application/passwords/change-password.js';
import { RequestPasswordReset } from '../application/passwords/request-password-reset.js';
import { ResetPassword } from '../application/passwords/reset-password.js';
import { identityError } from '../domain/identity-errors.js';
import { PasswordChangeBody, ResetBody, ResetRequestBody } from './identity.dto.js';

const KEYS_STAY = 'API keys remain valid, unless `revokeApiKeys` is true.';

@ApiTags('auth')
@Controller('auth/password')
@UsePipes(strictValidation)
export class PasswordsController {
  constructor(private readonly commands: CommandBus) {}

  @Post('change')
  @HttpCode(204)
  @Requires('password:change', 'Change the own password')
  @ApiNoContentResponse({ description: `The other sessions have ended. ${KEYS_STAY}` })
  async changePassword(@Body() body: PasswordChangeBody, @Req() request: Request): Promise<void> {
    const { userId, sessionId } = request.principal!;
    if (sessionId === undefined)
      throw identityError('session-required', 'A password can be changed only with a login, not with an API key.');
    const passwords = { current: body.currentPassword, next: body.newPassword };
    const session = { userId, sessionId };
    await this.commands.execute(new ChangePassword(session, passwords, body.revokeApiKeys, actorOf(request)));
  }

  @Post('reset-request')
  @HttpCode(202)
  @Public('Ask for a new password', 'Sends a mail with a token to the owner of the account.')
  @ApiAcceptedResponse({ description: 'The same for every e-mail, known or not.' })
  async requestPasswordReset(@Body() { email }: ResetRequestBody, @Req() request: Request): Promise<void> {
    await this.commands.execute(new RequestPasswordReset(email, actorOf(request)));
  }

  @Post('reset')
  @HttpCode(204)
  @Public('Set a new password', 'With the token from the mail.')
  @ApiNoContentResponse({ description: `All sessions have ended. ${KEYS_STAY}` })
  async resetPassword(
    @Body() { token, newPassword, revokeApiKeys }: ResetBody,
    @Req() request: Request,
  ): Promise<void> {
    await this.commands.execute(new ResetPassword(token, newPassword, revokeApiKeys, actorOf(request)));
  }
}
