import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { Command, CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { NotInSystem, Requires, RequiresForEach } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { visibleRows } from '../../../platform/http/visible-rows.js';
import { strictValidation } from '../../../platform/http/validation.js';
import type { NamespaceRef } from '../../tenancy/index.js';
import { ChangeConsumer } from '../application/change-consumer.js';
import type { ConsumerView } from '../application/ports.js';
import { ConsumerFollowers } from '../application/consumer-followers.js';
import { DeleteConsumer, GetConsumer, ListConsumers, PauseConsumer, ResumeConsumer } from '../application/consumers.js';
import { RegisterConsumer } from '../application/register-consumer.js';
import type { ConsumerRef } from '../domain/consumer.js';
import { ConsumerDto, ConsumerPage, RegisteredConsumerDto, toConsumerDto } from './consumer-view.dto.js';
import { PatchConsumerBody, RegisterConsumerBody } from './consumers.dto.js';

@ApiTags('consumers')
@Controller('tenants/:tenantId/namespaces/:namespaceId/consumers')
@UsePipes(strictValidation)
@ApiParam({ name: 'tenantId' })
@ApiParam({ name: 'namespaceId' })
export class ConsumersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
    private readonly followers: ConsumerFollowers,
  ) {}

  @Post()
  @Requires('consumer:manage', 'Register a consumer', 'The secret that signs its deliveries is shown this once.')
  @NotInSystem()
  @Idempotent()
  @ApiCreatedResponse({ type: RegisteredConsumerDto })
  async registerConsumer(
    @Param() namespace: NamespaceRef,
    @Body() body: RegisterConsumerBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RegisteredConsumerDto> {
    const registration = new RegisterConsumer(namespace, body, request.principal!, actorOf(request));
    const { consumer, secret } = await this.inForce(registration);
    const { tenantId, namespaceId } = namespace;
    created(reply, `/tenants/${tenantId}/namespaces/${namespaceId}/consumers/${consumer.consumerId}`, consumer.version);
    return { ...toConsumerDto(consumer), secret };
  }

  @Get()
  @RequiresForEach('consumer:read', 'List consumers')
  @ApiOkResponse({ type: ConsumerPage })
  async listConsumers(
    @Param() namespace: NamespaceRef,
    @Query() { limit, cursor }: ListQuery,
    @Req() { access }: Request,
  ): Promise<ConsumerPage> {
    const scope = `consumers ${namespace.tenantId}/${namespace.namespaceId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const base = `tenants/${namespace.tenantId}/namespaces/${namespace.namespaceId}/consumers`;
    const rows = await visibleRows<ConsumerView>(
      { after, limit },
      (from, most) => this.queries.execute(new ListConsumers(namespace, from, most)),
      ({ consumerId }) => consumerId,
      ({ consumerId }) => access!.allows('consumer:read', `${base}/${consumerId}`),
    );
    return toPage(rows, limit, { item: toConsumerDto, cursor: (last) => this.cursors.encode(scope, last.consumerId) });
  }

  @Get(':consumerId')
  @Requires('consumer:read', 'Show a consumer')
  @ApiParam({ name: 'consumerId' })
  @ApiOkResponse({ type: ConsumerDto })
  async getConsumer(@Param() ref: ConsumerRef, @Res({ passthrough: true }) reply: Reply): Promise<ConsumerDto> {
    const consumer = await this.queries.execute(new GetConsumer(ref));
    showVersion(reply, consumer.version);
    return toConsumerDto(consumer);
  }

  @Patch(':consumerId')
  @Requires('consumer:manage', 'Change a consumer')
  @ApiParam({ name: 'consumerId' })
  @ApiOkResponse({ type: ConsumerDto })
  async updateConsumer(
    @Param() ref: ConsumerRef,
    @Body() body: PatchConsumerBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ConsumerDto> {
    const change = new ChangeConsumer(ref, body, request.principal!, actorOf(request), expectedVersion(request));
    const consumer = await this.inForce(change);
    showVersion(reply, consumer.version);
    return toConsumerDto(consumer);
  }

  @Delete(':consumerId')
  @HttpCode(204)
  @Requires('consumer:manage', 'Delete a consumer')
  @ApiParam({ name: 'consumerId' })
  @ApiNoContentResponse()
  async deleteConsumer(@Param() ref: ConsumerRef, @Req() request: Request): Promise<void> {
    await this.inForce(new DeleteConsumer(ref, actorOf(request), expectedVersion(request)));
  }

  @Post(':consumerId/pause')
  @HttpCode(200)
  @Requires('consumer:manage', 'Pause a consumer', 'Nothing is lost: delivery continues from the same place.')
  @ApiParam({ name: 'consumerId' })
  @ApiOkResponse({ type: ConsumerDto })
  async pauseConsumer(
    @Param() ref: ConsumerRef,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ConsumerDto> {
    const consumer = await this.inForce(new PauseConsumer(ref, 'requested', actorOf(request)));
    showVersion(reply, consumer.version);
    return toConsumerDto(consumer);
  }

  @Post(':consumerId/resume')
  @HttpCode(200)
  @Requires('consumer:manage', 'Resume a consumer', 'A topic that is blocked by an exhausted event tries it again.')
  @ApiParam({ name: 'consumerId' })
  @ApiOkResponse({ type: ConsumerDto })
  async resumeConsumer(
    @Param() ref: ConsumerRef,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ConsumerDto> {
    const consumer = await this.inForce(new ResumeConsumer(ref, request.principal!, actorOf(request)));
    showVersion(reply, consumer.version);
    return toConsumerDto(consumer);
  }

  /** Returns when the deliveries of this process act on the change. */
  private async inForce<R>(command: Command<R>): Promise<R> {
    const result = await this.commands.execute(command);
    await this.followers.caughtUp();
    return result;
  }
}
