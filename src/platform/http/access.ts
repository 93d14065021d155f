import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiOperation, ApiSecurity } from '@nestjs/swagger';
import type { Permission } from '../../kernel/access.js';
import type { Action } from '../../kernel/actions.js';

export const PERMISSION = 'access:permission';
export const PUBLIC = 'access:public';
export const NOT_IN_SYSTEM = 'access:not-in-system';

export interface RequiredPermission {
  readonly permission: Permission;
  /** A list: who may see anything of it may ask, and is shown what he may see. */
  readonly list: boolean;
}

const described = (summary: string, description: string | undefined): MethodDecorator =>
  ApiOperation({ summary, ...(description !== undefined && { description }) });

const required = (needed: RequiredPermission, summary: string, description?: string): MethodDecorator =>
  applyDecorators(
    described(summary, description),
    SetMetadata(PERMISSION, needed),
    ApiExtension('x-permission', needed.permission),
    ...(needed.list ? [ApiExtension('x-permission-for-each', true)] : []),
    ApiBearerAuth(),
    ApiSecurity('apiKey'),
  ) as MethodDecorator;

/** `summary`: a few words; `description`: what they do not say. */
export const Requires = (permission: Permission, summary: string, description?: string): MethodDecorator =>
  required({ permission, list: false }, summary, description);

/** For lists: the handler leaves out what `request.access` does not allow to be seen. */
export const RequiresForEach = (permission: Action, summary: string, description?: string): MethodDecorator =>
  required({ permission, list: true }, summary, description);

/**
 * For what would change the system tenant, or put something into it: refused there by the guard, whoever may do it elsewhere. A test holds
 * that each change below a tenant says it, or is of what the system has, too.
 */
export const NotInSystem = (): MethodDecorator => SetMetadata(NOT_IN_SYSTEM, true);

/** Answers without credentials. */
export const Public = (summary: string, description?: string): MethodDecorator =>
  applyDecorators(SetMetadata(PUBLIC, true), described(summary, description)) as MethodDecorator;
