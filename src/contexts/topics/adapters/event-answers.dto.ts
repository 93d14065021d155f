import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CountField, pageOf, TimeField } from '../../../platform/http/response-fields.js';
import { EXAMPLE, EXAMPLE_CORRELATION_ID } from '../../../platform/http/examples.js';

/** Without the type that the decorator would take from TypeScript. */
const ANY_JSON = { anyOf: [{}] };

/** An event as reading and delivery show it: what `eventJson` writes. */
export class EventDto {
  @ApiProperty({ example: EXAMPLE.eventId })
  readonly id!: string;
  @ApiProperty({ example: 'order.created' })
  readonly type!: string;
  @ApiProperty({ example: EXAMPLE.topicId })
  readonly topic!: string;
  @CountField({ description: 'Its place in the topic, from 1; 0 in a test delivery.' })
  readonly position!: number;
  @ApiPropertyOptional({ example: 'customer-7' })
  readonly key?: string;
  @ApiPropertyOptional({ example: EXAMPLE.stream })
  readonly stream?: string;
  @CountField({ required: false, minimum: 1, description: 'Its place in the stream.' })
  readonly streamVersion?: number;
  @TimeField({ description: 'When it happened, as the publisher says; otherwise when it was recorded.' })
  readonly time!: string;
  @TimeField()
  readonly recordedAt!: string;
  @CountField({ required: false, minimum: 1 })
  readonly schemaVersion?: number;
  @ApiPropertyOptional({ example: EXAMPLE_CORRELATION_ID })
  readonly correlationId?: string;
  @ApiPropertyOptional({ description: 'What caused it, for example the id of another event.' })
  readonly causationId?: string;
  @ApiPropertyOptional({ description: 'W3C Trace Context.' })
  readonly traceparent?: string;
  @ApiPropertyOptional({ description: 'W3C Trace Context.' })
  readonly tracestate?: string;
  @ApiProperty({ example: EXAMPLE.userId, description: 'The user or the API key that published it.' })
  readonly publishedBy!: string;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { shop: 'berlin' } })
  readonly metadata?: object;
  @ApiProperty({
    ...ANY_JSON,
    example: { orderId: 1001, total: 99.5 },
    description: 'Any JSON value, byte for byte as it was published.',
  })
  readonly data!: unknown;
}

export class EventPage extends pageOf(EventDto) {}

export class StreamPage extends pageOf(EventDto) {
  @ApiProperty({ example: EXAMPLE.stream })
  readonly stream!: string;
  @CountField({ minimum: 1, description: 'How many events the stream has.' })
  readonly streamVersion!: number;
}

class PublishedEventDto {
  @ApiProperty({ example: EXAMPLE.eventId })
  readonly id!: string;
  @CountField({ minimum: 1 })
  readonly position!: number;
  @CountField({ required: false, minimum: 1, description: 'Where the event names a stream.' })
  readonly streamVersion?: number;
  @ApiProperty({ description: 'It was there before, under the same id: nothing was written.' })
  readonly duplicate!: boolean;
}

export class PublishResultDto {
  @ApiProperty({ type: [PublishedEventDto], description: 'In the order of the request.' })
  readonly events!: PublishedEventDto[];
  @CountField({ minimum: 1 })
  readonly firstPosition!: number;
  @CountField({ minimum: 1 })
  readonly lastPosition!: number;
}
