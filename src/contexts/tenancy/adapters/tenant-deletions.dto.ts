import { ApiProperty } from '@nestjs/swagger';
import { isoTime } from '../../../platform/http/resource.js';
import type { TenantDeletion } from '../application/ports.js';
import { DELETION_STATES, percentOf, type DeletionState } from '../domain/tenant-deletion.js';

export class TenantDeletionDto {
  @ApiProperty({ example: 'del_01k0w3t5m8q2v7x9z4b6d8f0g2' })
  readonly id!: string;
  @ApiProperty({ example: 'acme' })
  readonly tenantId!: string;
  @ApiProperty({ enum: DELETION_STATES, description: '`failed`: the last attempt; another one follows by itself.' })
  readonly state!: DeletionState;
  @ApiProperty({ description: 'Namespaces, topics, consumers and events; 0 while it is queued.' })
  readonly total!: number;
  @ApiProperty({ description: 'How many of them are gone.' })
  readonly done!: number;
  @ApiProperty({ minimum: 0, maximum: 100 })
  readonly percent!: number;
  @ApiProperty({ type: String, nullable: true, description: 'Why the last attempt failed.' })
  readonly error!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'The user who began it.' })
  readonly startedBy!: string | null;
  @ApiProperty({ format: 'date-time' })
  readonly startedAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  readonly finishedAt!: string | null;
}

export class TenantDeletionPage {
  @ApiProperty({ type: [TenantDeletionDto] })
  readonly items!: TenantDeletionDto[];
  @ApiProperty({ type: String, nullable: true })
  readonly nextCursor!: string | null;
}

export const toDeletionDto = ({
  deletionId,
  beat: _,
  startedAt,
  finishedAt,
  ...job
}: TenantDeletion): TenantDeletionDto => ({
  id: deletionId,
  ...job,
  percent: percentOf(job.state, job.total, job.done),
  startedAt: isoTime(startedAt),
  finishedAt: finishedAt === null ? null : isoTime(finishedAt),
});
