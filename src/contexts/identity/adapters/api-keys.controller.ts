import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { Clock } from '../../../kernel/clock.js';
import { parseTime } from '../../../kernel/rfc3339.js';
import { Requires } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { strictValidation } from '../../../platform/http/validation.js';
import { GetApiKey, ListApiKeys } from '../application/api-keys/api-keys.js';
import { CreateApiKey, type IssuedKey } from '../application/api-keys/create-api-key.js';
import type { ApiKeyCursor } from '../application/api-keys/ports.js';
import { RevokeApiKey } from '../application/api-keys/revoke-api-key.js';
import { RotateApiKey } from '../application/api-keys/rotate-api-key.js';
import type { ApiKeyRef } from '../domain/api-key.js';
import {
  ApiKeyDto,
  ApiKeyPage,
  CreateApiKeyBody,
  IssuedApiKeyDto,
  RotateApiKeyBody,
  toApiKeyDto,
} from './api-keys.dto.js';
import { USER_ID_SCHEMA } from './identity.dto.js';

const BEGINNING: ApiKeyCursor = { createdAt: -1, keyId: '' };

@ApiTags('api-keys')
@Controller('users/:userId/api-keys')
@UsePipes(strictValidation)
@ApiParam({
  name: 'userId',
  description: 'The id of a user; `me` for the caller.',
  schema: { type: 'string', pattern: `${USER_ID_SCHEMA.pattern}|^me$` },
})
export class ApiKeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post()
  @Requires('api-key:create', 'Create an API key')
  @Idempotent()
  @ApiCreatedResponse({ type: IssuedApiKeyDto, description: 'The key is shown only once.' })
  async createApiKey(
    @Param('userId') user: string,
    @Body() { name, scopes, actions, expiresAt, allowedCidrs }: CreateApiKeyBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<IssuedApiKeyDto> {
    const input = {
      name,
      scopes: scopes ?? null,
      actions: actions ?? null,
      allowedCidrs: allowedCidrs ?? null,
      expiresAt: msOf(expiresAt),
    };
    const issued = await this.commands.execute(new CreateApiKey(userOf(user, request), input, actorOf(request)));
    const { userId, keyId, version } = issued.view;
    created(reply, `/users/${userId}/api-keys/${keyId}`, version);
    return this.toIssued(issued);
  }

  @Get()
  @Requires('api-key:read', 'List API keys')
  @ApiOkResponse({ type: ApiKeyPage })
  async listApiKeys(
    @Param('userId') user: string,
    @Query() { limit, cursor }: ListQuery,
    @Req() request: Request,
  ): Promise<ApiKeyPage> {
    const userId = userOf(user, request);
    const scope = `api-keys ${userId}`;
    const after = cursor === undefined ? BEGINNING : toPlace(this.cursors.decode<string>(scope, cursor));
    const rows = await this.queries.execute(new ListApiKeys(userId, after, limit));
    const now = this.clock.now();
    return toPage(rows, limit, {
      item: (row) => toApiKeyDto(row, now),
      cursor: ({ createdAt, keyId }) => this.cursors.encode(scope, `${createdAt} ${keyId}`),
    });
  }

  @Get(':keyId')
  @Requires('api-key:read', 'Show an API key', 'Not the key itself, which is shown only once.')
  @ApiParam({ name: 'keyId' })
  @ApiOkResponse({ type: ApiKeyDto })
  async getApiKey(
    @Param() ref: ApiKeyRef,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ApiKeyDto> {
    const key = await this.queries.execute(new GetApiKey(refOf(ref, request)));
    showVersion(reply, key.version);
    return toApiKeyDto(key, this.clock.now());
  }

  @Delete(':keyId')
  @HttpCode(204)
  @Requires('api-key:revoke', 'Revoke an API key')
  @ApiParam({ name: 'keyId' })
  @ApiNoContentResponse({ description: 'The key stops working at once, on other instances within a second.' })
  async revokeApiKey(@Param() ref: ApiKeyRef, @Req() request: Request): Promise<void> {
    await this.commands.execute(new RevokeApiKey(refOf(ref, request), actorOf(request), expectedVersion(request)));
  }

  @Post(':keyId/rotate')
  @HttpCode(200)
  @Requires('api-key:create', 'Rotate an API key', 'It gets a new secret; the old one keeps working for a while.')
  @Idempotent()
  @ApiParam({ name: 'keyId' })
  @ApiOkResponse({ type: IssuedApiKeyDto, description: 'The new key is shown only once.' })
  async rotateApiKey(
    @Param() ref: ApiKeyRef,
    @Body() { gracePeriodSeconds, expiresAt }: RotateApiKeyBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<IssuedApiKeyDto> {
    const rotation = { graceMs: gracePeriodSeconds * 1_000, expiresAt: msOf(expiresAt) };
    const command = new RotateApiKey(refOf(ref, request), rotation, actorOf(request), expectedVersion(request));
    const issued = await this.commands.execute(command);
    showVersion(reply, issued.view.version);
    return this.toIssued(issued);
  }

  private toIssued({ view, key }: IssuedKey): IssuedApiKeyDto {
    return { ...toApiKeyDto(view, this.clock.now()), key };
  }
}

const userOf = (user: string, { principal }: Request): string => (user === 'me' ? principal!.userId : user);

const refOf = ({ userId, keyId }: ApiKeyRef, request: Request): ApiKeyRef => ({
  userId: userOf(userId, request),
  keyId,
});

/** Null is different from a missing value: never. */
const msOf = (time: string | null | undefined): number | null | undefined => (time ? parseTime(time) : (time as null));

function toPlace(cursor: string): ApiKeyCursor {
  const [createdAt, keyId] = cursor.split(' ') as [string, string];
  return { createdAt: Number(createdAt), keyId };
}
