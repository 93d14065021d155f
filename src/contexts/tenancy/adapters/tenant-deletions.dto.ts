import { ApiProperty } from '@nestjs/swagger';
import { CountField, pageOf, TimeField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { TenantDeletion } from '../application/tenant-deletions.js';
import { DELETION_STATES, percentOf, type DeletionState } from '../domain/tenant-deletion.js';

export class TenantDeletionDto {
  @ApiProperty({ example: EXAMPLE.deletionId })
  readonly id!: string;
  @ApiProperty({ example: EXAMPLE.tenantId })
  readonly tenantId!: string;
  @ApiProperty({
    enum: DELETION_STATES,
    description: '`failed`: the last attempt failed; another one follows by itself.',
  })
  readonly state!: DeletionState;
  @CountField({ example: 2_048, description: 'Namespaces, topics, consumers and events; 0 while it is queued.' })
  readonly total!: number;
  @CountField({ example: 512, description: 'How many of them are gone.' })
  readonly done!: number;
  @CountField({ example: 25, maximum: 100 })
  readonly percent!: number;
  @ApiProperty({ type: String, nullable: true, description: 'Why the last attempt failed.' })
  readonly error!: string | null;
  @ApiProperty({ type: String, nullable: true, example: EXAMPLE.userId, description: 'The user who began it.' })
  readonly startedBy!: string | null;
  @TimeField()
  readonly startedAt!: string;
  @TimeField({ nullable: true, example: null })
  readonly finishedAt!: string | null;
}

export class TenantDeletionPage extends pageOf(TenantDeletionDto) {}

export const toDeletionDto = ({ deletionId, startedAt, finishedAt, ...job }: TenantDeletion): TenantDeletionDto => ({
  id: deletionId,
  ...job,
  percent: percentOf(job.state, job.total, job.done),
  startedAt: isoTime(startedAt),
  finishedAt: finishedAt === null ? null : isoTime(finishedAt),
});
