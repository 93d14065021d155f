import { applyDecorators } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOperation, ApiParam } from '@nestjs/swagger';
import { IDEMPOTENCY_KEY_HEADER } from '../../../platform/http/idempotency.js';
import { CLOUD_EVENT_HEADERS, CLOUD_EVENT_SCHEMA } from './cloudevents-schemas.js';
import { BARE_PLACE_SCHEMA, EVENT_SCHEMA, EXPECTED_STREAM_VERSION } from './event-schemas.js';
import { PublishResultDto } from './event-answers.dto.js';

export const TopicParams = (): MethodDecorator & ClassDecorator =>
  applyDecorators(ApiParam({ name: 'tenantId' }), ApiParam({ name: 'namespaceId' }), ApiParam({ name: 'topicId' }));

export const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  required: false,
  description: 'For Server-Sent Events: continues after this place, as `after` does.',
  schema: BARE_PLACE_SCHEMA as never,
};

const batchOf = (items: object) => ({ type: 'array', minItems: 1, maxItems: 1_000, items });

const BODY = {
  required: true,
  content: {
    'application/json': { schema: { oneOf: [EVENT_SCHEMA, batchOf(EVENT_SCHEMA)] } },
    'application/cloudevents+json': { schema: CLOUD_EVENT_SCHEMA },
    'application/cloudevents-batch+json': { schema: batchOf(CLOUD_EVENT_SCHEMA) },
  },
};

/** What the OpenAPI document says of publishing. */
export const PublishDocs = (): MethodDecorator =>
  applyDecorators(
    TopicParams(),
    // ApiBody has one schema for all media types.
    ApiOperation({ requestBody: BODY } as never),
    ApiHeader({
      name: 'Expected-Stream-Version',
      required: false,
      description: 'A number, `no-stream` or `any`. Anything but `any` needs all events to name the same stream.',
      schema: { type: 'string', pattern: EXPECTED_STREAM_VERSION.source },
    }),
    ApiHeader(IDEMPOTENCY_KEY_HEADER),
    ...CLOUD_EVENT_HEADERS.map((header) => ApiHeader(header as never)),
    ApiCreatedResponse({
      type: PublishResultDto,
      description: 'The events are on disk.',
      headers: {
        Location: { description: 'Of the event, where there is one.', schema: { type: 'string' } },
      },
    }),
  );
