import { CHOSEN_ID_SCHEMA, describeIds } from '../../../platform/http/parameter-schemas.js';
import {
  EVENT_ID,
  EVENT_ID_CHARS_MAX,
  NAME,
  NAME_CHARS_MAX,
  REFERENCE,
  REFERENCE_CHARS_MAX,
  SCHEMA_VERSION_MAX,
  TYPE,
} from '../domain/envelope.js';

/** What the contract says of events and places, from the constants by which they are checked. */

const nullable = <S extends object>(schema: S) => ({ ...schema, nullable: true });

export const EVENT_ID_SCHEMA = { type: 'string', maxLength: EVENT_ID_CHARS_MAX, pattern: EVENT_ID.source };
export const TYPE_SCHEMA = { type: 'string', maxLength: NAME_CHARS_MAX, pattern: TYPE.source };
export const NAME_SCHEMA = { type: 'string', maxLength: NAME_CHARS_MAX, pattern: NAME.source };
export const TIME_SCHEMA = { type: 'string', format: 'date-time' };
export const REFERENCE_SCHEMA = { type: 'string', maxLength: REFERENCE_CHARS_MAX, pattern: REFERENCE.source };

/** Null means the same as leaving it out, for every optional field. */
export const EVENT_SCHEMA = {
  type: 'object',
  required: ['type', 'data'],
  additionalProperties: false,
  properties: {
    type: { ...TYPE_SCHEMA, example: 'order.created' },
    data: { description: 'Any JSON value; comes back byte for byte.', example: { orderId: 42, total: 99.5 } },
    id: nullable({ ...EVENT_ID_SCHEMA, description: 'Makes the publish idempotent.' }),
    key: nullable(NAME_SCHEMA),
    stream: nullable(NAME_SCHEMA),
    time: nullable(TIME_SCHEMA),
    schemaVersion: nullable({ type: 'integer', minimum: 1, maximum: SCHEMA_VERSION_MAX }),
    correlationId: nullable(REFERENCE_SCHEMA),
    causationId: nullable(REFERENCE_SCHEMA),
    metadata: nullable({ type: 'object', description: 'At most 16 KiB.' }),
  },
};

const place = (name: string, schema: object) => ({
  type: 'object',
  required: [name],
  additionalProperties: false,
  properties: { [name]: schema },
});

const NAMED_PLACES = [
  place('eventId', EVENT_ID_SCHEMA),
  place('position', { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  place('time', TIME_SCHEMA),
];

/** See parsePlace. */
export const PLACE_SCHEMA = { oneOf: [{ type: 'string', enum: ['beginning', 'latest'] }, ...NAMED_PLACES] };

export const BARE_PLACE_CHARS_MAX = 256;

/** See parseBarePlace: a position, too, looks like the id of an event, and so do the two ends. */
export const BARE_PLACE_SCHEMA = {
  type: 'string',
  maxLength: BARE_PLACE_CHARS_MAX,
  anyOf: [
    { pattern: EVENT_ID.source, maxLength: EVENT_ID_CHARS_MAX },
    { pattern: '^\\{', contentMediaType: 'application/json', contentSchema: { oneOf: NAMED_PLACES } },
  ],
};

const TYPES_MAX = 100;
const LISTED_TYPE = String.raw`[\x21-\x2b\x2d-\x7e]{1,${NAME_CHARS_MAX}}`;

/** Types, comma-separated. */
export const TYPES = new RegExp(`^${LISTED_TYPE}(?:,${LISTED_TYPE}){0,${TYPES_MAX - 1}}$`);

export const EXPECTED_STREAM_VERSION = /^(?:any|no-stream|\d{1,15})$/;

describeIds({ topics: CHOSEN_ID_SCHEMA, events: EVENT_ID_SCHEMA, streams: NAME_SCHEMA });
