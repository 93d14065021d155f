import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NotInSystem, Requires, RequiresForEach } from '../../../platform/http/access.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import { Idempotent } from '../../../platform/http/idempotency.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf, created, showVersion } from '../../../platform/http/resource.js';
import { visibleRows } from '../../../platform/http/visible-rows.js';
import { strictValidation } from '../../../platform/http/validation.js';
import type { TopicView } from '../application/ports.js';
import { CreateTopic, DeleteTopic, DescribeTopic, GetTopic, ListTopics } from '../application/topics.js';
import { TopicParams } from './publish.docs.js';
import { CreateTopicBody, PatchTopicBody, TopicDto, TopicPage, toTopicDto, toTopicSummary } from './topics.dto.js';

@ApiTags('topics')
@Controller('tenants/:tenantId/namespaces/:namespaceId/topics')
@UsePipes(strictValidation)
export class TopicsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @Requires('topic:create', 'Create a topic')
  @NotInSystem()
  @Idempotent()
  @ApiCreatedResponse({ type: TopicDto })
  async createTopic(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Body() body: CreateTopicBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TopicDto> {
    const topic = await this.commands.execute(new CreateTopic({ tenantId, namespaceId }, body, actorOf(request)));
    created(reply, `/tenants/${tenantId}/namespaces/${namespaceId}/topics/${topic.topicId}`, topic.version);
    return toTopicDto(topic);
  }

  @Get()
  @RequiresForEach('topic:read', 'List topics')
  @ApiOkResponse({ type: TopicPage })
  async listTopics(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Query() { limit, cursor }: ListQuery,
    @Req() { access }: Request,
  ): Promise<TopicPage> {
    const scope = `topics ${tenantId}/${namespaceId}`;
    const after = cursor === undefined ? '' : this.cursors.decode<string>(scope, cursor);
    const namespace = { tenantId, namespaceId };
    const rows = await visibleRows<TopicView>(
      { after, limit },
      (from, most) => this.queries.execute(new ListTopics(namespace, from, most)),
      ({ topicId }) => topicId,
      ({ topicId }) => access!.allows('topic:read', `tenants/${tenantId}/namespaces/${namespaceId}/topics/${topicId}`),
    );
    return toPage(rows, limit, { item: toTopicSummary, cursor: (last) => this.cursors.encode(scope, last.topicId) });
  }

  @Get(':topicId')
  @Requires('topic:read', 'Show a topic', 'With its positions and its size.')
  @TopicParams()
  @ApiOkResponse({ type: TopicDto })
  async getTopic(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Param('topicId') topicId: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TopicDto> {
    const topic = await this.queries.execute(new GetTopic({ tenantId, namespaceId, topicId }));
    showVersion(reply, topic.version);
    return toTopicDto(topic);
  }

  @Patch(':topicId')
  @Requires('topic:update', 'Change a topic')
  @NotInSystem()
  @ApiOkResponse({ type: TopicDto })
  async updateTopic(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Param('topicId') topicId: string,
    @Body() body: PatchTopicBody,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<TopicDto> {
    const ref = { tenantId, namespaceId, topicId };
    const command = new DescribeTopic(ref, body.description, actorOf(request), expectedVersion(request));
    const topic = await this.commands.execute(command);
    showVersion(reply, topic.version);
    return toTopicDto(topic);
  }

  @Delete(':topicId')
  @HttpCode(204)
  @Requires('topic:delete', 'Delete a topic', 'With its events.')
  @NotInSystem()
  @ApiNoContentResponse()
  async deleteTopic(
    @Param('tenantId') tenantId: string,
    @Param('namespaceId') namespaceId: string,
    @Param('topicId') topicId: string,
    @Req() request: Request,
  ): Promise<void> {
    const ref = { tenantId, namespaceId, topicId };
    await this.commands.execute(new DeleteTopic(ref, actorOf(request), expectedVersion(request)));
  }
}
