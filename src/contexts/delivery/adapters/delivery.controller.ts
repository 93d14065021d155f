import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { actorOf } from '../../../platform/http/resource.js';
import type { ConsumerRef } from '../../consumers/index.js';
import { GetConsumerStatus } from '../application/consumer-status.js';
import { SendTestDelivery } from '../application/test-delivery.js';
import { ConsumerStatusDto, TestDeliveryDto, toStatusDto, toTestDto } from './delivery.dto.js';

@ApiTags('deliveries')
@Controller('tenants/:tenantId/namespaces/:namespaceId/consumers/:consumerId')
@ApiParam({ name: 'tenantId' })
@ApiParam({ name: 'namespaceId' })
@ApiParam({ name: 'consumerId' })
export class DeliveryController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get('status')
  @Requires('consumer:read', 'Show the status of a consumer', 'Its position in each topic, its lag and its last error.')
  @ApiOkResponse({ type: ConsumerStatusDto })
  async getConsumerStatus(@Param() consumer: ConsumerRef): Promise<ConsumerStatusDto> {
    return toStatusDto(await this.queries.execute(new GetConsumerStatus(consumer)));
  }

  @Post('test')
  @HttpCode(200)
  @Requires('consumer:manage', 'Send a test delivery', 'The positions of the consumer do not move.')
  @ApiOkResponse({ type: TestDeliveryDto, description: 'The outcome.' })
  async sendTestDelivery(@Param() consumer: ConsumerRef, @Req() request: Request): Promise<TestDeliveryDto> {
    const { id, correlationId } = actorOf(request);
    return toTestDto(await this.commands.execute(new SendTestDelivery(consumer, correlationId, id)));
  }
}
