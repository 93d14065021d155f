import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { pageOf, TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import type { Constraints } from '../domain/constraints.js';
import { ConstraintsDto, PrincipalDto } from './authz.dto.js';
import { HeldRuleDto, MembershipRolesDto, ToldRuleDto } from './rules.dto.js';

export class MemberDto extends MembershipRolesDto {
  @ApiProperty({ example: EXAMPLE.userId })
  readonly userId!: string;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

export class MemberPage extends pageOf(MemberDto) {}

/** Predefined roles are part of the product and have no version and no times. */
export class RoleDto {
  @ApiProperty({ example: EXAMPLE.roleId })
  readonly id!: string;
  @ApiProperty({ example: 'Order clerk' })
  readonly name!: string;
  @ApiProperty({ type: String, nullable: true, example: 'Looks after the topics of orders.' })
  readonly description!: string | null;
  @ApiProperty({ type: [String], example: ['topic:read', 'topic:update'] })
  readonly actions!: readonly string[];
  @ApiProperty({ description: 'Part of the product: it cannot be changed, and has no version and no times.' })
  readonly predefined!: boolean;
  @VersionField({ required: false })
  readonly version?: number;
  @TimeField({ required: false })
  readonly createdAt?: string;
  @TimeField({ required: false })
  readonly updatedAt?: string;
}

export class RolePage extends pageOf(RoleDto) {}

export class GroupDto {
  @ApiProperty({ example: EXAMPLE.groupId })
  readonly id!: string;
  @ApiProperty({ example: 'Order desk' })
  readonly name!: string;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

export class GroupPage extends pageOf(GroupDto) {}

export class GroupPartDto {
  @ApiProperty({ example: EXAMPLE.userId, description: 'Of the user, the role or the group.' })
  readonly id!: string;
}

export class GroupPartPage extends pageOf(GroupPartDto) {}

export class GrantDto {
  @ApiProperty({ example: EXAMPLE.grantId })
  readonly id!: string;
  @ApiProperty({ type: PrincipalDto, example: { user: EXAMPLE.userId }, description: 'One of them.' })
  readonly principal!: PrincipalDto;
  @ApiProperty({ enum: ['allow', 'deny'] })
  readonly effect!: 'allow' | 'deny';
  @ApiProperty({ type: [String], example: ['topic:read', 'topic:update'] })
  readonly actions!: readonly string[];
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders' })
  readonly resource!: string;
  @ApiPropertyOptional({ type: ConstraintsDto })
  readonly constraints?: Constraints;
  @TimeField()
  readonly createdAt!: string;
}

export class GrantPage extends pageOf(GrantDto) {}

export class SystemPermissionsDto {
  @ApiProperty({ example: EXAMPLE.userId })
  readonly userId!: string;
  @ApiProperty({ type: [HeldRuleDto] })
  readonly permissions!: HeldRuleDto[];
}

export class TenantPermissionsDto {
  @ApiProperty({ example: EXAMPLE.userId })
  readonly userId!: string;
  @ApiProperty({ type: [ToldRuleDto], description: 'Rules of the system are shown without their ids and conditions.' })
  readonly permissions!: ToldRuleDto[];
}

export class CheckResultDto {
  @ApiProperty({ example: true })
  readonly allowed!: boolean;
  @ApiProperty({
    enum: ['allowed', 'denied', 'not-allowed', 'tenant-suspended', 'tenant-deleting', 'tenant-not-found'],
  })
  readonly reason!: string;
  @ApiProperty({ description: 'It is for some types of events only: ask with `context.eventType`.' })
  readonly limitedToTypes!: boolean;
  @ApiProperty({ description: 'It is allowed at a rate only, which is not checked here.' })
  readonly rateLimited!: boolean;
  @ApiProperty({ type: [ToldRuleDto], description: 'The rules that contributed.' })
  readonly grants!: ToldRuleDto[];
}
