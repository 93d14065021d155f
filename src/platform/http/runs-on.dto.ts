import { ApiProperty } from '@nestjs/swagger';
import { EXAMPLE } from './examples.js';
import { Reference } from './field-rules.js';

/** The user whose permissions a consumer runs on. */
export class RunsOnDto {
  @ApiProperty({ example: EXAMPLE.userId })
  @Reference(64)
  readonly user!: string;
}
