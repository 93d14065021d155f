import { createHash } from 'node:crypto';
import { Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { DomainError } from '../../../kernel/domain-error.js';
import type { LimitLeft } from '../../../kernel/limit-left.js';
import { PUBLISH_SETTINGS, type Settings } from '../../../platform/config/index.js';
import type { AppendResult, ExpectedStreamVersion, NewEvent } from '../../../platform/event-log/index.js';
import { NotInSystem, Requires } from '../../../platform/http/access.js';
import { httpError } from '../../../platform/http/http-errors.js';
import { Idempotency } from '../../../platform/http/idempotency.js';
import { noteLimit } from '../../../platform/http/rate-limit-headers.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { writeInfoLine } from '../../../platform/telemetry/logger.js';
import { Direct } from '../../authz/index.js';
import { PublishMetrics } from '../application/publish-metrics.js';
import { PublishEvents } from '../application/publish-events.js';
import type { TopicRef } from '../domain/topic.js';
import { topicError } from '../domain/topic-errors.js';
import { cloudEventsMode, parseCloudEvents } from './cloudevents.js';
import { eventInvalid, parseEvents, type PublishContext } from './event-body.js';
import { EXPECTED_STREAM_VERSION } from './event-schemas.js';
import { PublishDocs } from './publish.docs.js';

const IDS_LOGGED_MAX = 20;
const JSON_MEDIA_TYPE = /^application\/json\s*(?:;|$)/i;

/** The hot path: no DTO, nothing of Nest's router; the body is split by hand and the response is built as text. */
@ApiTags('events')
@Controller('tenants/:tenantId/namespaces/:namespaceId/topics/:topicId/events')
export class PublishController {
  constructor(
    private readonly commands: CommandBus,
    private readonly idempotency: Idempotency,
    private readonly metrics: PublishMetrics,
    @Inject(PUBLISH_SETTINGS) private readonly limits: Settings['publish'],
  ) {}

  @Post()
  @Requires('event:publish', 'Publish events', 'One event or a batch, all or nothing; also as CloudEvents.')
  @NotInSystem()
  @Direct({ rawBody: true })
  @PublishDocs()
  async publishEvents(request: Request, reply: Reply): Promise<void> {
    const key = this.idempotency.keyOf(request);
    if (key !== undefined && !(await this.idempotency.begin(request, reply, key))) return;
    const topic = request.params as TopicRef;
    const events = this.parse(request, key);
    requireTypes(request, events);
    const expected = expectedStreamVersion(request, events);
    const { id } = request.principal!;
    const limits = request.access?.publishLimits ?? null;
    let result: AppendResult;
    try {
      const reportLimit = (left: LimitLeft): void => noteLimit(request, left);
      result = await this.commands.execute(new PublishEvents(topic, events, expected, id, limits, reportLimit));
    } catch (error) {
      throw hidingActualVersion(request, error);
    }
    this.report(topic, result, request);
    reply.status(201).header('content-type', 'application/json; charset=utf-8');
    if (result.events.length === 1)
      reply.header('location', `${request.url.split('?', 1)[0]}/${encodeURIComponent(result.events[0]!.id)}`);
    await reply.send(resultJson(result));
  }

  private parse(request: Request, key: string | undefined): NewEvent[] {
    const { body, correlationId, traceparent, tracestate } = request;
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const context: PublishContext = {
      correlationId,
      traceparent,
      tracestate,
      idFor: key === undefined ? undefined : repeatableIds(request, key),
    };
    const mode = cloudEventsMode(request.headers);
    if (mode === undefined && !JSON_MEDIA_TYPE.test(request.headers['content-type'] ?? '')) {
      throw httpError('unsupported-media-type', 'Send application/json, or a CloudEvent in one of its three modes.');
    }
    return mode === undefined
      ? parseEvents(bytes, this.limits, context)
      : parseCloudEvents(mode, bytes, request.raw, this.limits, context);
  }

  private report(
    { tenantId, namespaceId, topicId }: TopicRef,
    { events }: AppendResult,
    { correlationId, principal }: Request,
  ): void {
    const fresh = events.filter(({ duplicate }) => !duplicate).length;
    this.metrics.published(fresh, events.length - fresh);
    const ids = events.slice(0, IDS_LOGGED_MAX).map(({ id }) => `"${id}"`);
    writeInfoLine(
      `"correlationId":${JSON.stringify(correlationId)},"tenant":"${tenantId}","namespace":"${namespaceId}","topic":"${topicId}",` +
        `"count":${events.length},"eventIds":[${ids.join()}],"lastPosition":${events.at(-1)!.position},"by":"${principal!.id}"`,
      'events published',
    );
  }
}

/** Under an Idempotency-Key, a request that is repeated after a crash gets the same ids, which the log then knows. */
function repeatableIds(request: Request, key: string): (index: number) => string {
  const seed = `${request.principal?.id}\n${request.url}\n${key}\n`;
  return (index) =>
    `evt_${createHash('sha256')
      .update(seed + index)
      .digest('hex')
      .slice(0, 32)}`;
}

function expectedStreamVersion(request: Request, events: readonly NewEvent[]): ExpectedStreamVersion {
  const header = request.headers['expected-stream-version'];
  if (header === undefined || header === 'any') return 'any';
  const pointer = 'Expected-Stream-Version';
  const version = header === 'no-stream' ? 0 : Number(header);
  if (typeof header !== 'string' || !EXPECTED_STREAM_VERSION.test(header)) {
    throw eventInvalid([{ pointer, detail: 'must be a number, no-stream or any' }]);
  }
  const stream = events[0]!.stream;
  if (stream === null || events.some((event) => event.stream !== stream)) {
    throw eventInvalid([{ pointer, detail: 'needs all events to name the same stream' }]);
  }
  return version;
}

/** Callers that may not read the topic learn that the expected version is wrong, but not how far the stream has come. */
function hidingActualVersion({ access, params }: Request, error: unknown): unknown {
  if (!(error instanceof DomainError) || error.code !== 'stream-version-conflict') return error;
  const { tenantId, namespaceId, topicId } = params as TopicRef;
  const resource = `tenants/${tenantId}/namespaces/${namespaceId}/topics/${topicId}`;
  if (access!.allowsAllTypes('event:read', resource)) return error;
  const { actualVersion: _, ...shown } = error.extensions;
  const detail = `Stream "${String(shown['stream'])}" is not at version ${String(shown['expectedVersion'])}.`;
  return new DomainError(error.code, error.kind, error.title, detail, shown);
}

/** Ids need no escapes: see the rule of event ids. */
function resultJson({ events }: AppendResult): string {
  let first = Infinity;
  let last = 0;
  let items = '';
  for (const { id, position, streamVersion, duplicate } of events) {
    if (position < first) first = position;
    if (position > last) last = position;
    const version = streamVersion === null ? '' : `,"streamVersion":${streamVersion}`;
    items += `${items === '' ? '' : ','}{"id":"${id}","position":${position}${version},"duplicate":${duplicate}}`;
  }
  return `{"events":[${items}],"firstPosition":${first},"lastPosition":${last}}`;
}

/** The permission may be for some types of events only. */
function requireTypes({ access }: Request, events: readonly NewEvent[]): void {
  const refused = access?.refusedType(events);
  if (refused !== undefined)
    throw topicError('event-type-denied', `You may not publish events of the type "${refused}" here.`);
}
