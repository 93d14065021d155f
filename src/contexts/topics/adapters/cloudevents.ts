import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { exceedsCharacters } from '../../../kernel/characters.js';
import type { FieldError } from '../../../kernel/domain-error.js';
import type { NewEvent } from '../../../platform/event-log/index.js';
import { scanBody, type RawBody, type RawItem, type RawMember } from '../../../platform/json/raw-json.js';
import {
  DATA_DEPTH_MAX,
  addProblem,
  checkField,
  eventIdProblem,
  nameProblem,
  referenceProblem,
  typeProblem,
  METADATA_BYTES_MAX,
} from '../domain/envelope.js';
import { ATTRIBUTE_TEXT, SOURCE_CHARS_MAX } from './cloudevents-schemas.js';
import {
  splitBody,
  eventInvalid,
  finishDraft,
  newDraft,
  readMembers,
  readTime,
  throwIfTooMany,
  type EventDraft,
  type PublishContext,
  type PublishLimits,
} from './event-body.js';
import { attributeText, utf8Text } from './cloudevents-headers.js';
import { isTraceparent, tracestateOf } from '../../../platform/http/trace-context.js';

/*
 * CloudEvents 1.0 (https://github.com/cloudevents/spec, HTTP binding and JSON format). `id`, `type` and `time` are the event's own,
 * `partitionkey` is its key, `correlationid`, `causationid`, `traceparent` and `tracestate` its references; all other attributes are kept in
 * `metadata.cloudEvents`. Data that is no JSON is kept as a JSON string: text as it is, bytes in base64 with
 * `metadata.cloudEvents.dataEncoding: "base64"`. Without a content type, data is JSON if it can be (as in the JSON format), and text is
 * marked by `"text"`.
 */

export type CloudEventsMode = 'structured' | 'batch' | 'binary';

const ATTRIBUTE = /^[a-z0-9]{1,64}$/;
const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** How a request carries CloudEvents; undefined: it does not. */
export function cloudEventsMode(headers: IncomingHttpHeaders): CloudEventsMode | undefined {
  const type = (headers['content-type'] ?? '').toLowerCase();
  if (type.startsWith('application/cloudevents-batch+json')) return 'batch';
  if (type.startsWith('application/cloudevents+json')) return 'structured';
  return headers['ce-specversion'] === undefined ? undefined : 'binary';
}

export function parseCloudEvents(
  mode: CloudEventsMode,
  bytes: Buffer,
  message: Pick<IncomingMessage, 'headersDistinct'>,
  limits: PublishLimits,
  context: PublishContext,
): NewEvent[] {
  if (mode === 'binary') return [parseBinary(bytes, message.headersDistinct, limits, context)];
  const { body, single } = splitBody(bytes, limits);
  if (single === (mode === 'batch')) {
    throw eventInvalid([
      { pointer: '', detail: mode === 'batch' ? 'must be an array of CloudEvents' : 'must be one CloudEvent' },
    ]);
  }
  const errors: FieldError[] = [];
  const events = body.items.map((item, i) => {
    const draft = readStructured(body, item, single ? '' : `/${i}`, errors, context);
    throwIfTooMany(errors);
    return errors.length > 0 ? draft : finishDraft(draft, i, limits, context);
  });
  if (errors.length > 0) throw eventInvalid(errors);
  return events;
}

function readStructured(
  body: RawBody,
  item: RawItem,
  at: string,
  errors: FieldError[],
  context: PublishContext,
): EventDraft {
  const attributes = new Map<string, unknown>();
  const draft = newDraft(context);
  let base64: unknown;
  readMembers(item, at, errors, (member, pointer) => {
    if (member.key === 'data') draft.data = body.text(member);
    else if (member.key === 'data_base64') base64 = body.value(member);
    else if (checkField(errors, pointer, ATTRIBUTE.test(member.key) ? null : 'is no CloudEvents attribute')) {
      attributes.set(member.key, attributeValue(body, member));
    }
  });
  if (base64 !== undefined) {
    const valid = typeof base64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(base64) && draft.data === '';
    checkField(errors, `${at}/data_base64`, valid ? null : 'must be base64, and without data beside it');
    draft.data = JSON.stringify(base64);
  }
  applyAttributes(draft, attributes, {
    at: `${at}/`,
    errors,
    dataEncoding: base64 === undefined ? undefined : 'base64',
  });
  if (draft.data === '') draft.data = 'null';
  return draft;
}

/** A number keeps its digits: 12345678901234567890 and 1e400 are none of JavaScript's. */
function attributeValue(body: RawBody, member: RawMember): unknown {
  const value = body.value(member);
  return typeof value === 'number' ? rawJson.rawJSON(body.text(member)) : value;
}

function parseBinary(
  bytes: Buffer,
  headers: NodeJS.Dict<string[]>,
  limits: PublishLimits,
  context: PublishContext,
): NewEvent {
  const attributes = new Map<string, unknown>();
  const errors: FieldError[] = [];
  for (const [name, values] of Object.entries(headers)) {
    if (name !== 'content-type' && !name.startsWith('ce-')) continue;
    const attribute = name === 'content-type' ? 'datacontenttype' : name.slice(3);
    const [value, ...others] = values!;
    const read = name === 'content-type' ? utf8Text(value!) : attributeText(value!);
    const problem = others.length > 0 ? 'is given twice' : 'refusal' in read ? read.refusal : headerProblem(name);
    if (checkField(errors, name, problem) && 'text' in read) attributes.set(attribute, read.text);
  }
  const draft = newDraft(context);
  const { data, dataEncoding } = binaryData(bytes, headers['content-type']?.[0]);
  draft.data = data;
  applyAttributes(draft, attributes, { at: 'ce-', errors, dataEncoding });
  if (errors.length > 0) throw eventInvalid(errors);
  return finishDraft(draft, 0, limits, context);
}

function headerProblem(name: string): string | null {
  if (name === 'ce-datacontenttype') return 'must be sent as Content-Type';
  if (name === 'ce-data') return 'must be sent as the body';
  return name === 'content-type' || ATTRIBUTE.test(name.slice(3)) ? null : 'is no CloudEvents attribute';
}

interface KeptData {
  readonly data: string;
  readonly dataEncoding?: 'base64' | 'text';
}

function binaryData(bytes: Buffer, contentType: string | undefined): KeptData {
  if (bytes.length === 0) return { data: 'null' };
  if (contentType !== undefined && JSON_MEDIA_TYPE.test(contentType)) return { data: jsonText(bytes) };
  if (!isUtf8(bytes)) return { data: JSON.stringify(bytes.toString('base64')), dataEncoding: 'base64' };
  const text = JSON.stringify(bytes.toString('utf8'));
  if (contentType !== undefined) return { data: text };
  try {
    return { data: jsonText(bytes) };
  } catch {
    return { data: text, dataEncoding: 'text' };
  }
}

/** The data of a binary-mode event is any JSON value: it is checked as the whole body. */
function jsonText(bytes: Buffer): string {
  const body = scanBody(Buffer.concat([Buffer.from('{"data":'), bytes, Buffer.from('}')]), {
    depthMax: DATA_DEPTH_MAX,
    itemsMax: 1,
  });
  const [member, ...others] = body.items[0]!.members!;
  if (!member || others.length > 0) throw eventInvalid([{ pointer: '', detail: 'must be one JSON value' }]);
  return body.text(member);
}

interface Reading {
  readonly at: string;
  readonly errors: FieldError[];
  readonly dataEncoding: string | undefined;
}

function applyAttributes(
  draft: EventDraft,
  attributes: Map<string, unknown>,
  { at, errors, dataEncoding }: Reading,
): void {
  const kept: Record<string, unknown> = {};
  for (const required of ['specversion', 'id', 'source', 'type']) {
    if ((attributes.get(required) ?? null) === null) addProblem(errors, at + required, 'is required');
  }
  takeTrace(draft, attributes);
  // Sorted, because neither headers nor members have an order: the same event sent again must not look like another one.
  for (const [name, value] of [...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === null) continue;
    if (!readAttribute(draft, name, value, at + name, errors)) kept[name] = value;
  }
  if (dataEncoding) kept['dataEncoding'] = dataEncoding;
  draft.metadata = JSON.stringify({ cloudEvents: kept });
  if (Buffer.byteLength(draft.metadata) > METADATA_BYTES_MAX)
    addProblem(errors, at, `attributes may have at most ${METADATA_BYTES_MAX} bytes`);
}

/** The distributed tracing extension: the trace that the event began in, which need not be that of the request. */
function takeTrace(draft: EventDraft, attributes: Map<string, unknown>): void {
  const traceparent = attributes.get('traceparent');
  if (!isTraceparent(traceparent)) return;
  draft.traceparent = traceparent;
  draft.tracestate = tracestateOf(attributes.get('tracestate'));
  attributes.delete('traceparent');
  if (draft.tracestate !== null) attributes.delete('tracestate');
}

/** True: the attribute became a field of the event. */
function readAttribute(
  draft: EventDraft,
  name: string,
  value: unknown,
  pointer: string,
  errors: FieldError[],
): boolean {
  switch (name) {
    case 'specversion':
      return checkField(errors, pointer, value === '1.0' ? null : 'must be "1.0"') || true;
    case 'id':
      draft.idGiven = true;
      if (checkField(errors, pointer, eventIdProblem(value))) draft.id = value as string;
      return true;
    case 'type':
      if (checkField(errors, pointer, typeProblem(value))) draft.type = value as string;
      return true;
    case 'time':
      readTime(draft, value, pointer, errors);
      return true;
    case 'partitionkey':
      if (checkField(errors, pointer, nameProblem(value))) draft.key = value as string;
      return true;
    case 'correlationid':
    case 'causationid':
      if (checkField(errors, pointer, referenceProblem(value)))
        draft[name === 'causationid' ? 'causationId' : 'correlationId'] = value as string;
      return true;
    case 'source':
      checkField(errors, pointer, sourceProblem(value));
      return false;
    case 'subject':
    case 'dataschema':
    case 'datacontenttype':
      checkField(errors, pointer, typeof value === 'string' ? attributeProblem(value) : 'must be a string');
      return false;
    default:
      checkField(errors, pointer, attributeProblem(value));
      return false;
  }
}

function sourceProblem(value: unknown): string | null {
  const fits = typeof value === 'string' && value.length > 0 && !exceedsCharacters(value, SOURCE_CHARS_MAX);
  return fits ? attributeProblem(value) : 'must be a URI reference';
}

function attributeProblem(value: unknown): string | null {
  if (typeof value === 'string') return ATTRIBUTE_TEXT.test(value) ? null : 'must hold no control characters';
  return typeof value === 'boolean' || rawJson.isRawJSON(value) ? null : 'must be a string, number or boolean';
}

/** Of Node 22 and later; the library of TypeScript does not know it yet. */
const rawJson = JSON as unknown as { rawJSON(text: string): unknown; isRawJSON(value: unknown): boolean };
