import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiHeader, ApiParam } from '@nestjs/swagger';
import { PublishResultDto } from './event-answers.dto.js';

const EVENT_SCHEMA = {
  type: 'object',
  required: ['type', 'data'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', maxLength: 255, example: 'order.created' },
    data: { description: 'Any JSON value; comes back byte for byte.', example: { orderId: 42, total: 99.5 } },
    id: { type: 'string', maxLength: 128, description: 'Makes the publish idempotent.' },
    key: { type: 'string', maxLength: 255, nullable: true },
    stream: { type: 'string', maxLength: 255, nullable: true },
    time: { type: 'string', format: 'date-time' },
    schemaVersion: { type: 'integer', minimum: 1 },
    correlationId: { type: 'string', maxLength: 128 },
    causationId: { type: 'string', maxLength: 128 },
    metadata: { type: 'object' },
  },
} as const;

export const TopicParams = (): MethodDecorator & ClassDecorator =>
  applyDecorators(ApiParam({ name: 'tenantId' }), ApiParam({ name: 'namespaceId' }), ApiParam({ name: 'topicId' }));

/** What the OpenAPI document says of publishing. */
export const PublishDocs = (): MethodDecorator =>
  applyDecorators(
    TopicParams(),
    ApiConsumes('application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'),
    ApiBody({
      schema: { oneOf: [EVENT_SCHEMA, { type: 'array', minItems: 1, maxItems: 1_000, items: EVENT_SCHEMA }] } as never,
    }),
    ApiHeader({ name: 'Expected-Stream-Version', required: false, description: 'A number, `no-stream` or `any`.' }),
    ApiHeader({ name: 'Idempotency-Key', required: false }),
    ApiCreatedResponse({
      type: PublishResultDto,
      description: 'The events are on disk.',
      headers: {
        Location: { description: 'Of the event, where there is one.', schema: { type: 'string' } },
      },
    }),
  );
