import { Controller, Get, Inject, Param, Query, Req, Res, UsePipes } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import { READ_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { eventJson, type TopicNames } from '../../../platform/event-log/index.js';
import { negotiate } from '../../../platform/http/accept.js';
import { Requires } from '../../../platform/http/access.js';
import { Cursors } from '../../../platform/http/cursor.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { invalid, strictValidation } from '../../../platform/http/validation.js';
import { EventReader } from '../application/read-events.js';
import { StreamReader } from '../application/read-stream.js';
import { TopicDirectory } from '../application/topic-directory.js';
import type { TopicRef } from '../domain/topic.js';
import { topicError } from '../domain/topic-errors.js';
import { EventDto, StreamPage } from './event-answers.dto.js';
import { EventQueries } from './event-query.js';
import { EventStreams } from './event-streams.js';
import { ReadEventsQuery } from './events.dto.js';
import { ReadEventsDocs } from './read.docs.js';
import { LAST_EVENT_ID, TopicParams } from './publish.docs.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const REPRESENTATIONS = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const;

@ApiTags('events')
@Controller('tenants/:tenantId/namespaces/:namespaceId/topics/:topicId')
@UsePipes(strictValidation)
@TopicParams()
export class EventsController {
  constructor(
    private readonly directory: TopicDirectory,
    private readonly queries: EventQueries,
    private readonly events: EventReader,
    private readonly streams: EventStreams,
    private readonly streamReader: StreamReader,
    private readonly cursors: Cursors,
    @Inject(READ_SETTINGS) private readonly settings: Settings['read'],
  ) {}

  @Get('events')
  @Requires(
    'event:read',
    'Read events',
    '`Accept` selects the form: a page (JSON), all of them (NDJSON), or live (Server-Sent Events).',
  )
  @ApiHeader(LAST_EVENT_ID)
  @ApiProduces(...REPRESENTATIONS)
  @ReadEventsDocs()
  async readEvents(
    @Param() topic: TopicRef,
    @Query() query: ReadEventsQuery,
    @Req() request: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    const log = await this.directory.load(topic);
    const representation = negotiate(request.headers.accept, REPRESENTATIONS);
    const live = representation === 'text/event-stream';
    const limit = limitAsked(request) ? query.limit : undefined;
    if (live) refuseAnEnd({ ...query, limit });
    const parsed = await this.queries.parse(log, query, request.access!.types, live ? resumeAfter(request) : undefined);
    const names: TopicNames = topic;
    const followed = { ...names, access: () => request.access! };
    if (representation === 'application/x-ndjson') return this.streams.sendAll(reply, log, parsed, followed, limit);
    if (live) return this.streams.follow(reply, log, parsed, followed);
    const { events, next } = await this.events.slice(log, parsed, query.limit, this.settings.filterBudgetMs);
    const cursor = next === null ? 'null' : `"${this.queries.cursor(log, query, next)}"`;
    const items = events.map((event) => eventJson(event, names)).join(',');
    await reply.header('content-type', JSON_TYPE).send(`{"items":[${items}],"nextCursor":${cursor}}`);
  }

  @Get('events/:eventId')
  @Requires('event:read', 'Show an event')
  @ApiParam({ name: 'eventId', type: 'string' })
  @ApiOkResponse({ type: EventDto })
  async getEvent(
    @Param() params: TopicRef & { eventId: string },
    @Req() { access }: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    const log = await this.directory.load(params);
    const event = await this.events.one(log, params.eventId, access?.types);
    if (!event) throw topicError('event-not-found', 'There is no such event in the topic.');
    await reply.header('content-type', JSON_TYPE).send(eventJson(event, params));
  }

  @Get('streams/:stream')
  @Requires('event:read', 'Read a stream')
  @ApiParam({ name: 'stream', type: 'string' })
  @ApiOkResponse({ type: StreamPage })
  async readStream(
    @Param() params: TopicRef & { stream: string },
    @Query() { limit, cursor }: ListQuery,
    @Req() { access }: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    const log = await this.directory.load(params);
    const scope = `stream ${log.topicUid} ${params.stream}`;
    const after = cursor === undefined ? 0 : this.cursors.decode<number>(scope, cursor);
    const types = access?.types;
    const streamVersion = await this.streamReader.version(log, params.stream, types);
    if (streamVersion === 0) throw topicError('stream-not-found', 'There is no such stream in the topic.');
    if (!types && after > streamVersion)
      throw topicError('place-not-found', 'The stream does not go as far as the cursor.');
    const range = { after, version: streamVersion, limit };
    const { filterBudgetMs } = this.settings;
    const { events, next } = await this.streamReader.slice(log, params.stream, range, types, filterBudgetMs);
    const items = events.map((event) => eventJson(event, params)).join(',');
    const cursorAfter = next === null ? 'null' : `"${this.cursors.encode(scope, next)}"`;
    const head = `{"stream":${JSON.stringify(params.stream)},"streamVersion":${streamVersion}`;
    await reply.header('content-type', JSON_TYPE).send(`${head},"items":[${items}],"nextCursor":${cursorAfter}}`);
  }
}

/** A page has a limit even where none is requested; a stream then continues to the end. */
const limitAsked = (request: Request): boolean => (request.query as { limit?: unknown }).limit !== undefined;

/** Clients that have seen nothing yet send none, or an empty one: it resets the place in the specification of event streams. */
const resumeAfter = ({ headers }: Request): string | undefined => headers['last-event-id']?.toString() || undefined;

function refuseAnEnd({ order, before, to, limit }: Partial<ReadEventsQuery>): void {
  const ends = Object.entries({ order: order === 'desc' ? order : undefined, before, to, limit });
  const errors = ends.filter(([, value]) => value !== undefined);
  if (errors.length === 0) return;
  throw invalid(errors.map(([name]) => ({ pointer: `?${name}`, detail: 'does not go with text/event-stream' })));
}
