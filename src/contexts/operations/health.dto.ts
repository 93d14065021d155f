import { ApiProperty, ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';

export class LivenessDto {
  @ApiProperty({ enum: ['ok'] })
  readonly status!: 'ok';
}

const checks = (example: Readonly<Record<string, { readonly status: 'up' }>>): ApiPropertyOptions => ({
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['up', 'down'] } },
  },
  example,
});
const UP = { process: { status: 'up' }, storage: { status: 'up' } } as const;

/** The format of `@nestjs/terminus`. */
export class ReadinessDto {
  @ApiProperty({ enum: ['ok', 'error', 'shutting_down'] })
  readonly status!: string;
  @ApiPropertyOptional(checks(UP))
  readonly info?: object;
  @ApiPropertyOptional(checks({}))
  readonly error?: object;
  @ApiProperty(checks(UP))
  readonly details!: object;
}
