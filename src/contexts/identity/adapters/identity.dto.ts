import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsString } from 'class-validator';
import { CountField, pageOf, TimeField, VersionField } from '../../../platform/http/response-fields.js';
import { EmailField, KnownEmail } from '../../../platform/http/email-field.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { Length, PlainText, WellFormed, WhenGiven } from '../../../platform/http/field-rules.js';
import { ListQuery } from '../../../platform/http/list-query.js';
import { describeIds, generatedId } from '../../../platform/http/parameter-schemas.js';
import { Related } from '../../../platform/http/request-schemas.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { Account } from '../application/accounts/ports.js';
import type { TokenPair } from '../application/sessions/tokens.js';
import type { Session } from '../domain/session.js';
import { shownState } from '../domain/user.js';

const PASSWORD_MAX = 1_024;
const NAME_MAX = 200;
const TOKEN_MAX = 256;

export const USER_ID_SCHEMA = generatedId('usr');

describeIds({ users: USER_ID_SCHEMA, sessions: generatedId('ses') });

/** The password rules are checked where the account is known. */
const password = (): PropertyDecorator =>
  applyDecorators(IsString(), Length(1, PASSWORD_MAX), WellFormed()) as PropertyDecorator;

export class LoginBody {
  @ApiProperty({ example: 'admin@event-store.local' })
  @KnownEmail()
  readonly email!: string;

  @password()
  readonly password!: string;
}

export class RefreshBody {
  @IsString()
  @Length(0, TOKEN_MAX)
  readonly refreshToken!: string;
}

export class PasswordChangeBody {
  @password()
  readonly currentPassword!: string;

  @password()
  readonly newPassword!: string;

  @ApiPropertyOptional({ description: 'Whether all API keys of the user end, too, for example after a theft.' })
  @WhenGiven()
  @IsBoolean()
  readonly revokeApiKeys: boolean = false;
}

export class ResetRequestBody {
  @ApiProperty({ example: 'jane@acme.example' })
  @KnownEmail()
  readonly email!: string;
}

export class ResetBody {
  @ApiProperty({ description: 'The token from the mail.' })
  @IsString()
  @Length(0, TOKEN_MAX)
  readonly token!: string;

  @password()
  readonly newPassword!: string;

  @ApiPropertyOptional({ description: 'Whether all API keys of the user end, too, for example after a theft.' })
  @WhenGiven()
  @IsBoolean()
  readonly revokeApiKeys: boolean = false;
}

@Related({
  anyOf: [
    { required: ['email'], properties: { kind: { const: 'human' } } },
    { required: ['kind', 'name'], properties: { kind: { const: 'service' }, email: false, password: false } },
  ],
})
export class CreateUserBody {
  @ApiPropertyOptional({ default: 'human' })
  @WhenGiven()
  @IsIn(['human', 'service'])
  readonly kind?: 'human' | 'service';

  @ApiPropertyOptional({ description: 'Required for humans; service accounts have none.' })
  @WhenGiven()
  @EmailField()
  readonly email?: string;

  @WhenGiven()
  @PlainText(NAME_MAX)
  readonly name?: string;

  @ApiPropertyOptional({ description: 'Without one, an invitation goes out by mail.' })
  @WhenGiven()
  @password()
  readonly password?: string;
}

export class ChangeUserBody {
  @WhenGiven()
  @PlainText(NAME_MAX)
  readonly name?: string;

  @WhenGiven()
  @EmailField()
  readonly email?: string;
}

export class SuspendUserBody {
  @ApiPropertyOptional({ description: 'Shown to administrators.' })
  @IsOptional()
  @PlainText(500)
  readonly reason?: string;
}

export class UsersQuery extends ListQuery {
  @ApiPropertyOptional({ description: 'The one user with this e-mail.' })
  @IsOptional()
  @KnownEmail()
  readonly email?: string;
}

export class UserDto {
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
  @ApiProperty({ type: String, nullable: true, description: 'Why the user is suspended.' })
  readonly reason!: string | null;
  @VersionField()
  readonly version!: number;
  @TimeField()
  readonly createdAt!: string;
  @TimeField()
  readonly updatedAt!: string;
}

export class UserPage extends pageOf(UserDto) {}

export class TokensDto {
  @ApiProperty({ example: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…' })
  readonly accessToken!: string;
  @ApiProperty({ example: 'esr_…', description: 'Works once; POST /auth/refresh returns the next one.' })
  readonly refreshToken!: string;
  @CountField({ example: 900, description: 'Seconds' })
  readonly expiresIn!: number;
  @ApiProperty({ example: EXAMPLE.sessionId })
  readonly sessionId!: string;
  @ApiProperty({ type: UserDto })
  readonly user!: UserDto;
}

export class SessionDto {
  @ApiProperty({ example: EXAMPLE.sessionId })
  readonly id!: string;
  @ApiProperty({ example: true, description: 'Whether this is the session of the request.' })
  readonly current!: boolean;
  @TimeField()
  readonly createdAt!: string;
  @TimeField({ description: 'With a precision of five minutes.' })
  readonly lastUsedAt!: string;
  @TimeField({
    description: 'Unless it is refreshed; at the latest at a fixed time after the login.',
  })
  readonly expiresAt!: string;
  @ApiProperty({ example: '203.0.113.9', description: 'The address that last began or refreshed it.' })
  readonly address!: string;
  @ApiProperty({ type: String, nullable: true, example: 'Mozilla/5.0' })
  readonly userAgent!: string | null;
}

export class SessionPage extends pageOf(SessionDto) {}

export const toUserDto = (account: Account): UserDto => {
  const { userId, kind, email: address, name, reason, version, createdAt, updatedAt } = account;
  return {
    id: userId,
    kind,
    email: address,
    name,
    state: shownState(account),
    reason,
    version,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
  };
};

export const toTokensDto = ({ accessToken, refreshToken, expiresIn, sessionId, account }: TokenPair): TokensDto => ({
  accessToken,
  refreshToken,
  expiresIn,
  sessionId,
  user: toUserDto(account),
});

export const toSessionDto = (session: Session, currentId: string | undefined): SessionDto => ({
  id: session.sessionId,
  current: session.sessionId === currentId,
  createdAt: isoTime(session.createdAt),
  lastUsedAt: isoTime(session.lastUsedAt),
  expiresAt: isoTime(Math.min(session.expiresAt, session.idleExpiresAt)),
  address: session.address,
  userAgent: session.userAgent,
});
