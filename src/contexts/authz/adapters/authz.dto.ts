import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { PlainText, Prose, Reference, Rfc3339 } from '../../../platform/http/field-rules.js';
import { ChosenId } from '../../../platform/http/list-query.js';
import { EmailField } from '../../identity/index.js';
import type { Constraints } from '../domain/constraints.js';

const texts = (most: number, description: string, example: string[]): PropertyDecorator =>
  applyDecorators(ApiProperty({ type: [String], description, example }), areTexts(most)) as PropertyDecorator;

const optionalTexts = (most: number, description: string, example: string[]): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ type: [String], description, example }), areTexts(most)) as PropertyDecorator;

const areTexts = (most: number): PropertyDecorator =>
  applyDecorators(IsArray(), ArrayMinSize(1), ArrayMaxSize(most), Reference(256, { each: true })) as PropertyDecorator;

const name = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ maxLength: 200 }),
    ValidateIf((_, value) => value !== undefined),
    PlainText(200),
  ) as PropertyDecorator;

export class MemberBody {
  @ApiPropertyOptional({ type: [String], example: ['developer'], description: 'In the whole tenant; without it none.' })
  @ValidateIf((_, value) => value !== undefined)
  @IsArray()
  @ArrayMaxSize(20)
  @Reference(63, { each: true })
  readonly roles?: string[];
}

export class InvitationBody extends MemberBody {
  @ApiProperty({ maxLength: 254, example: 'jane@acme.example' })
  @EmailField()
  readonly email!: string;
}

export class ScopeQuery {
  @ApiPropertyOptional({ description: 'Only in this namespace.' })
  @IsOptional()
  @Reference(63)
  readonly namespace?: string;

  @ApiPropertyOptional({ description: 'Only in this topic of the namespace.' })
  @IsOptional()
  @Reference(63)
  readonly topic?: string;
}

export class RoleBody {
  @ChosenId()
  readonly id?: string;
  @name()
  readonly name?: string;
  @ApiPropertyOptional({ maxLength: 500 })
  @IsOptional()
  @Prose(500)
  readonly description?: string;
  @texts(64, 'Actions, or all of a kind: topic:*', ['topic:read', 'event:publish'])
  readonly actions!: string[];
}

export class RoleChangeBody {
  @name()
  readonly name?: string;
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 500 })
  @IsOptional()
  @Prose(500)
  readonly description?: string | null;
  @ValidateIf((_, value) => value !== undefined)
  @optionalTexts(64, 'Actions, or all of a kind: topic:*', ['topic:read', 'event:publish'])
  readonly actions?: string[];
}

export class GroupBody {
  @ChosenId()
  readonly id?: string;
  @name()
  readonly name?: string;
}

export class GroupChangeBody {
  @ApiProperty({ maxLength: 200 })
  @PlainText(200)
  readonly name!: string;
}

export class PrincipalDto {
  @ApiPropertyOptional()
  @IsOptional()
  @Reference(100)
  readonly user?: string;
  @ApiPropertyOptional()
  @IsOptional()
  @Reference(100)
  readonly group?: string;
  @ApiPropertyOptional()
  @IsOptional()
  @Reference(100)
  readonly role?: string;
  @ApiPropertyOptional()
  @IsOptional()
  @Reference(100)
  readonly apiKey?: string;
}

class HoursDto {
  @ApiProperty({ example: '08:00' })
  @IsString()
  readonly from!: string;
  @ApiProperty({ example: '18:00' })
  @IsString()
  readonly to!: string;
}

class RateLimitDto {
  @ApiProperty({ minimum: 1, maximum: 1_000_000 })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly limit!: number;
  @ApiProperty({ minimum: 1, maximum: 86_400 })
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly windowSeconds!: number;
}

export class ConstraintsDto implements Constraints {
  @IsOptional()
  @optionalTexts(100, 'Types of events, or beginnings of them. For actions on events only.', ['order.*'])
  readonly eventTypes?: string[];
  @ApiPropertyOptional({ format: 'date-time' })
  @IsOptional()
  @Rfc3339()
  readonly validFrom?: string;
  @ApiPropertyOptional({ format: 'date-time' })
  @IsOptional()
  @Rfc3339()
  readonly validUntil?: string;
  @IsOptional()
  @optionalTexts(7, 'Days of the week.', ['mon', 'tue'])
  readonly daysOfWeek?: NonNullable<Constraints['daysOfWeek']>[number][];
  @ApiPropertyOptional({ type: HoursDto })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => HoursDto)
  readonly hours?: HoursDto;
  @ApiPropertyOptional({ example: 'Europe/Berlin', description: 'IANA; UTC without one.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  readonly timeZone?: string;
  @ApiPropertyOptional({ type: RateLimitDto })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RateLimitDto)
  readonly rateLimit?: RateLimitDto;
  @IsOptional()
  @optionalTexts(100, 'Addresses that requests may come from.', ['10.0.0.0/8'])
  readonly sourceCidrs?: string[];
}

export class GrantBody {
  @ApiProperty({ type: PrincipalDto, description: 'One of them.' })
  @IsObject()
  @ValidateNested()
  @Type(() => PrincipalDto)
  readonly principal!: PrincipalDto;
  @ApiProperty({ enum: ['allow', 'deny'] })
  @IsIn(['allow', 'deny'])
  readonly effect!: 'allow' | 'deny';
  @texts(64, 'Actions, or all of a kind: topic:*', ['event:publish'])
  readonly actions!: string[];
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders-*' })
  @IsString()
  @MaxLength(512)
  readonly resource!: string;
  @ApiPropertyOptional({ type: ConstraintsDto })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => ConstraintsDto)
  readonly constraints?: ConstraintsDto;
}

class CheckContextDto {
  @ApiPropertyOptional()
  @IsOptional()
  @Reference(256)
  readonly eventType?: string;
  @ApiPropertyOptional({ format: 'date-time' })
  @IsOptional()
  @Rfc3339()
  readonly time?: string;
  @ApiPropertyOptional({ example: '192.0.2.1', description: 'Without it that of the request.' })
  @IsOptional()
  @Reference(64)
  readonly address?: string;
}

export class CheckBody {
  @ApiPropertyOptional({ description: 'A user or an API key; without one the caller.' })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => PrincipalDto)
  readonly principal?: PrincipalDto;
  @ApiProperty({ example: 'event:publish' })
  @IsString()
  @MaxLength(64)
  readonly action!: string;
  @ApiProperty({ example: 'tenants/acme/namespaces/shop/topics/orders' })
  @IsString()
  @MaxLength(512)
  readonly resource!: string;
  @ApiPropertyOptional({ type: CheckContextDto })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => CheckContextDto)
  readonly context?: CheckContextDto;
}
