import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { PlainText, Reference, WhenGiven } from '../../../platform/http/field-rules.js';
import type { Principal } from '../../../kernel/access.js';
import { isoTime } from '../../../platform/http/resource.js';
import { shownState, type Account } from '../../identity/index.js';
import type { OwnPermissions } from '../application/own-permissions.js';
import { rolesOf, toRuleDto } from './authz-views.js';
import { HeldRuleDto, MembershipRolesDto } from './rules.dto.js';

export class OwnProfileQuery {
  @ApiPropertyOptional({ description: 'Only what holds in this tenant and in the system.' })
  @IsOptional()
  @Reference(63)
  readonly tenant?: string;
}

export class ProfileBody {
  @WhenGiven()
  @PlainText(200)
  readonly name?: string;
}

class MembershipDto extends MembershipRolesDto {
  @ApiProperty({ example: EXAMPLE.tenantId, description: '`$system` for roles in the system.' })
  readonly tenant!: string;
}

class OwnKeyScopeDto {
  @ApiProperty({ example: EXAMPLE.tenantId })
  readonly tenant!: string;
  @ApiPropertyOptional({ example: EXAMPLE.namespaceId })
  readonly namespace?: string;
  @ApiPropertyOptional({ example: EXAMPLE.topicId })
  readonly topic?: string;
}

class OwnKeyDto {
  @ApiProperty({ example: EXAMPLE.keyId })
  readonly id!: string;
  @ApiProperty({ type: [OwnKeyScopeDto], nullable: true })
  readonly scopes!: readonly OwnKeyScopeDto[] | null;
  @ApiProperty({ type: [String], nullable: true })
  readonly actions!: readonly string[] | null;
  @ApiProperty({ type: [HeldRuleDto], description: 'What was granted and denied to the key itself.' })
  readonly permissions!: HeldRuleDto[];
}

/** The fields of a user, as `GET /users/:userId` shows them, and what comes with it. */
export class OwnProfileDto {
  @ApiProperty({ example: EXAMPLE.userId })
  readonly id!: string;
  @ApiProperty({ enum: ['human', 'service'] })
  readonly kind!: 'human' | 'service';
  @ApiProperty({ type: String, nullable: true, example: 'jane@acme.example' })
  readonly email!: string | null;
  @ApiProperty({ example: 'Jane Doe' })
  readonly name!: string;
  @ApiProperty({
    enum: ['invited', 'active', 'suspended'],
    example: 'active',
    description: 'invited: no password was chosen yet.',
  })
  readonly state!: 'invited' | 'active' | 'suspended';
  @ApiProperty({ type: String, nullable: true, description: 'Why it is suspended.' })
  readonly reason!: string | null;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
  @ApiProperty({ type: [MembershipDto], description: 'In order of tenants, 100 at most.' })
  readonly memberships!: MembershipDto[];
  @ApiProperty({
    type: [HeldRuleDto],
    description: 'What holds in the system and in these tenants, 1,000 rules at most.',
  })
  readonly permissions!: HeldRuleDto[];
  @ApiProperty({ example: true, description: 'false: there is more; ask with `?tenant=` for one.' })
  readonly complete!: boolean;
  @ApiProperty({
    type: OwnKeyDto,
    nullable: true,
    example: null,
    description: 'The key of the request: it may do what its owner may, within these bounds. null in a session.',
  })
  readonly apiKey!: OwnKeyDto | null;
}

export function toOwnProfileDto(
  account: Account,
  { memberships, rules, keyRules, complete }: OwnPermissions,
  { id, kind, ceiling }: Principal,
): OwnProfileDto {
  const { userId, email, name, reason, version, createdAt, updatedAt } = account;
  const { scopes = null, actions = null } = ceiling ?? {};
  return {
    id: userId,
    kind: account.kind,
    email,
    name,
    state: shownState(account),
    reason,
    version,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    memberships: memberships.map((member) => ({ tenant: member.tenantId, ...rolesOf(member) })),
    permissions: rules.map(toRuleDto),
    complete,
    apiKey: kind === 'api-key' ? { id, scopes, actions, permissions: keyRules.map(toRuleDto) } : null,
  };
}
