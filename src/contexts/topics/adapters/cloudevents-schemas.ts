import { EVENT_ID_SCHEMA, NAME_SCHEMA, REFERENCE_SCHEMA, TIME_SCHEMA, TYPE_SCHEMA } from './event-schemas.js';

/** What the contract says of CloudEvents: see cloudevents.ts. */

const nullable = <S extends object>(schema: S) => ({ ...schema, nullable: true });

export const SOURCE_CHARS_MAX = 2_048;
/** What a String of CloudEvents holds: no control characters, halves of surrogate pairs, nor code points that are no characters. */
// eslint-disable-next-line no-control-regex -- control characters are what it keeps out
export const ATTRIBUTE_TEXT = /^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]*$/u;
const TEXT = { type: 'string', pattern: ATTRIBUTE_TEXT.source };

const ATTRIBUTES = {
  specversion: { type: 'string', enum: ['1.0'] },
  id: EVENT_ID_SCHEMA,
  source: { ...TEXT, minLength: 1, maxLength: SOURCE_CHARS_MAX, format: 'uri-reference' },
  type: TYPE_SCHEMA,
  time: nullable(TIME_SCHEMA),
  subject: nullable(TEXT),
  dataschema: nullable(TEXT),
  partitionkey: nullable({ ...NAME_SCHEMA, description: 'Its key.' }),
  correlationid: nullable(REFERENCE_SCHEMA),
  causationid: nullable(REFERENCE_SCHEMA),
};

export const CLOUD_EVENT_SCHEMA = {
  type: 'object',
  description: 'Attributes that are no field of an event are kept in `metadata.cloudEvents`, 16 KiB at most.',
  required: ['specversion', 'id', 'source', 'type'],
  properties: {
    ...ATTRIBUTES,
    datacontenttype: nullable(TEXT),
    data: {},
    data_base64: { type: 'string', contentEncoding: 'base64', pattern: '^[A-Za-z0-9+/]*={0,2}$' },
  },
  not: { required: ['data', 'data_base64'] },
  propertyNames: { pattern: '^(?:[a-z0-9]{1,64}|data_base64)$' },
  additionalProperties: { type: ['string', 'number', 'boolean', 'null'], pattern: TEXT.pattern },
};

/** Of binary mode, where the body is the data; other attributes come in the same way. */
export const CLOUD_EVENT_HEADERS = Object.keys(ATTRIBUTES).map((name) => ({
  name: `ce-${name}`,
  required: false,
  description: `For a CloudEvent in binary mode, percent-encoded. One of them requires ce-specversion, ce-id, ce-source and ce-type.`,
  schema: { type: 'string', pattern: String.raw`^[\x20-\x7e]+$` },
}));
