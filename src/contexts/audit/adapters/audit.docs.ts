import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProduces, getSchemaPath } from '@nestjs/swagger';
import { linesOf } from '../../../platform/http/response-fields.js';
import { CSV_HEADER } from './audit-formats.js';
import { AuditRecordDto } from './audit.dto.js';

/** An export in the OpenAPI document: the same records in two formats. */
export const ApiExportResponse = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(AuditRecordDto),
    ApiProduces('application/x-ndjson', 'text/csv'),
    ApiOkResponse({
      description: 'An attachment in the requested `format`.',
      content: {
        'application/x-ndjson': { schema: linesOf(getSchemaPath(AuditRecordDto)) },
        'text/csv': {
          schema: { type: 'string', description: 'RFC 4180, with a header line.' },
          example: CSV_HEADER,
        },
      },
      headers: {
        'Content-Disposition': {
          required: true,
          description: 'The name of the file.',
          schema: { type: 'string', example: 'attachment; filename="audit.ndjson"' },
        },
      },
    }),
  );
