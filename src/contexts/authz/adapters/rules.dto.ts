import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { EXAMPLE } from '../../../platform/http/examples.js';
import type { Constraints } from '../domain/constraints.js';
import { ConstraintsDto } from './authz.dto.js';

class ScopedRoleDto {
  @ApiProperty({ example: EXAMPLE.roleId })
  readonly role!: string;
  @ApiPropertyOptional({ example: EXAMPLE.namespaceId })
  readonly namespace?: string;
  @ApiPropertyOptional({ example: EXAMPLE.topicId })
  readonly topic?: string;
}

export class MembershipRolesDto {
  @ApiProperty({ type: [String], example: ['developer'], description: 'In the whole tenant.' })
  readonly roles!: string[];
  @ApiProperty({ type: [ScopedRoleDto], description: 'In a namespace or a topic.' })
  readonly scopedRoles!: ScopedRoleDto[];
}

class RuleThroughDto {
  @ApiProperty({ enum: ['group', 'role'] })
  readonly kind!: 'group' | 'role';
  @ApiProperty({ example: EXAMPLE.groupId })
  readonly id!: string;
}

class RuleViaDto {
  @ApiProperty({ enum: ['role', 'grant'] })
  readonly kind!: 'role' | 'grant';
  @ApiProperty({ example: EXAMPLE.roleId })
  readonly id!: string;
  @ApiPropertyOptional({
    type: RuleThroughDto,
    description: 'The group or role through which it came; without one it came directly.',
  })
  readonly through?: RuleThroughDto;
}

/** A rule of the system is shown to others without its id. */
class ToldViaDto {
  @ApiProperty({ enum: ['role', 'grant', 'system'] })
  readonly kind!: 'role' | 'grant' | 'system';
  @ApiPropertyOptional({ example: EXAMPLE.roleId })
  readonly id?: string;
  @ApiPropertyOptional({
    type: RuleThroughDto,
    description: 'The group or role through which it came; without one it came directly.',
  })
  readonly through?: RuleThroughDto;
}

class RuleDto {
  @ApiProperty({ enum: ['allow', 'deny'] })
  readonly effect!: 'allow' | 'deny';
  @ApiProperty({ type: [String], example: ['event:publish'] })
  readonly actions!: string[];
  @ApiProperty({ example: 'tenants/acme/namespaces/shop' })
  readonly resource!: string;
  @ApiPropertyOptional({ type: ConstraintsDto })
  readonly constraints?: Constraints;
}

export class HeldRuleDto extends RuleDto {
  @ApiProperty({ type: RuleViaDto })
  readonly via!: RuleViaDto;
}

export class ToldRuleDto extends RuleDto {
  @ApiProperty({ type: ToldViaDto })
  readonly via!: ToldViaDto;
  @ApiPropertyOptional({ example: true, description: 'It holds under a condition of the system, which is not shown.' })
  readonly conditional?: boolean;
}
