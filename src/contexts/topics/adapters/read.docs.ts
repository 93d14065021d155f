import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, getSchemaPath } from '@nestjs/swagger';
import { linesOf } from '../../../platform/http/response-fields.js';
import { EventDto, EventPage } from './event-answers.dto.js';

/** What the OpenAPI document says of reading: the same events in three forms. */
export const ReadEventsDocs = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(EventDto, EventPage),
    ApiOkResponse({
      description: 'A page of events; all of them, one a line (NDJSON); or history and then live (Server-Sent Events).',
      content: {
        'application/json': { schema: { $ref: getSchemaPath(EventPage) } },
        'application/x-ndjson': { schema: linesOf(getSchemaPath(EventDto)) },
        'text/event-stream': {
          schema: {
            ...linesOf(getSchemaPath(EventDto), 'text/event-stream'),
            description: 'Messages whose `id` is the position of an event and whose `data` is the event.',
          },
        },
      },
    }),
  );
