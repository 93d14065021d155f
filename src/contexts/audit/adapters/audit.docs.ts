import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProduces, getSchemaPath } from '@nestjs/swagger';
import { linesOf } from '../../../platform/http/answer-fields.js';
import { CSV_HEADER } from './audit-formats.js';
import { AuditRecordDto } from './audit.dto.js';

/** What the OpenAPI document says of an export: the same records in two forms. */
export const ApiExportResponse = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(AuditRecordDto),
    ApiProduces('application/x-ndjson', 'text/csv'),
    ApiOkResponse({
      description: 'As an attachment; `format` tells the form.',
      content: {
        'application/x-ndjson': { schema: linesOf(getSchemaPath(AuditRecordDto)) },
        'text/csv': {
          schema: { type: 'string', description: 'RFC 4180, with a line of names.' },
          example: CSV_HEADER,
        },
      },
      headers: {
        'Content-Disposition': {
          required: true,
          description: 'A name for the file.',
          schema: { type: 'string', example: 'attachment; filename="audit.ndjson"' },
        },
      },
    }),
  );
