import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FieldError } from '../../../kernel/domain-error.js';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { ActivateUser } from '../application/accounts/activate-user.js';
import { ChangeUser } from '../application/accounts/change-user.js';
import { CreateUser } from '../application/accounts/create-user.js';
import { DeleteUser } from '../application/accounts/delete-user.js';
import { SuspendUser } from '../application/accounts/suspend-user.js';
import { GetUser, ListUsers } from '../application/accounts/users.js';
import { SendPasswordReset } from '../application/passwords/send-password-reset.js';
import {
  ChangeUserBody,
  CreateUserBody,
  SuspendUserBody,
  toUserDto,
  UserDto,
  UserPage,
  UsersQuery,
} from './identity.dto.js';

@ApiTags('users')
@Controller('users')
@UsePipes(strictValidation)
export class UsersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Requires('user:create', 'Create a user', 'A human or a service account.')
  @Idempotent()
  @ApiCreatedResponse({ type: UserDto })
  async createUser(
    @Body() body: CreateUserBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserDto> {
    const input = { ...body, kind: body.kind ?? 'human' };
    requireFields(input);
    const account = await this.commands.execute(new CreateUser(input, actorOf(request)));
    created(reply, `/users/${account.userId}`, account.version);
    return toUserDto(account);
  }

  @Get()
  @Requires('user:read', 'List users')
  @ApiOkResponse({ type: UserPage })
  async listUsers(@Query() { limit, cursor, email }: UsersQuery): Promise<UserPage> {
    const scope = `users ${email ?? ''}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const rows = await this.queries.execute(new ListUsers({ email }, after, limit));
    return toPage(rows, limit, { item: toUserDto, cursor: (last) => this.cursors.encode(scope, last.userId) });
  }

  @Get(':userId')
  @Requires('user:read', 'Show a user')
  @ApiOkResponse({ type: UserDto })
  async getUser(@Param('userId') userId: string, @Res({ passthrough: true }) reply: Reply): Promise<UserDto> {
    const account = await this.queries.execute(new GetUser(userId));
    showVersion(reply, account.version);
    return toUserDto(account);
  }

  @Patch(':userId')
  @Requires('user:update', 'Change a user', 'The name or the e-mail.')
  @ApiOkResponse({ type: UserDto })
  async updateUser(
    @Param('userId') userId: string,
    @Body() change: ChangeUserBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserDto> {
    const command = new ChangeUser(userId, change, actorOf(request), expectedVersion(request));
    const account = await this.commands.execute(command);
    showVersion(reply, account.version);
    return toUserDto(account);
  }

  @Post(':userId/suspend')
  @HttpCode(200)
  @Requires('user:suspend', 'Suspend a user', 'Their sessions end, and their credentials are refused.')
  @ApiOkResponse({ type: UserDto })
  async suspendUser(
    @Param('userId') userId: string,
    @Body() { reason }: SuspendUserBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserDto> {
    const command = new SuspendUser(userId, reason ?? null, request.principal!.userId, actorOf(request));
    const account = await this.commands.execute(command);
    showVersion(reply, account.version);
    return toUserDto(account);
  }

  @Post(':userId/activate')
  @HttpCode(200)
  @Requires('user:suspend', 'End the suspension of a user')
  @ApiOkResponse({ type: UserDto })
  async activateUser(
    @Param('userId') userId: string,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<UserDto> {
    const account = await this.commands.execute(new ActivateUser(userId, actorOf(request)));
    showVersion(reply, account.version);
    return toUserDto(account);
  }

  @Post(':userId/password-reset')
  @HttpCode(202)
  @Requires('user:update', 'Send a user a password reset', 'Sends a mail with a token for a new password.')
  @ApiAcceptedResponse({ description: 'The mail will be sent.' })
  async sendPasswordReset(@Param('userId') userId: string, @Req() request: Request): Promise<void> {
    await this.commands.execute(new SendPasswordReset(userId, actorOf(request)));
  }

  @Delete(':userId')
  @HttpCode(204)
  @Requires('user:delete', 'Delete a user', 'Their personal data is erased.')
  @ApiNoContentResponse()
  async deleteUser(@Param('userId') userId: string, @Req() request: Request): Promise<void> {
    const { userId: byUserId } = request.principal!;
    await this.commands.execute(new DeleteUser(userId, byUserId, actorOf(request), expectedVersion(request)));
  }
}

/** What a class cannot express: humans have an e-mail, service accounts a name and nothing to log in with. */
function requireFields({ kind, email, name, password }: CreateUserBody): void {
  const errors: FieldError[] = [];
  const mustNot = 'must not be given for a service account';
  if (kind === 'human' && email === undefined) errors.push({ pointer: '/email', detail: 'is required' });
  if (kind === 'service' && name === undefined) errors.push({ pointer: '/name', detail: 'is required' });
  if (kind === 'service' && email !== undefined) errors.push({ pointer: '/email', detail: mustNot });
  if (kind === 'service' && password !== undefined) errors.push({ pointer: '/password', detail: mustNot });
  if (errors.length > 0) throw invalid(errors);
}
