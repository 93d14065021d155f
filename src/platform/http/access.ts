import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiOperation, ApiSecurity } from '@nestjs/swagger';
import type { Permission } from '../../kernel/access.js';
import type { Action } from '../../kernel/actions.js';

export const PERMISSION = 'access:permission';
export const PUBLIC = 'access:public';
export const NOT_IN_SYSTEM = 'access:not-in-system';

export interface RequiredPermission {
  readonly permission: Permission;
  /** A list: callers who may see any item may call it, and see the items they may see. */
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

/** `summary`: a few words; `description`: what they leave out. */
export const Requires = (permission: Permission, summary: string, description?: string): MethodDecorator =>
  required({ permission, list: false }, summary, description);

/** For lists: the handler leaves out items that `request.access` does not allow the caller to see. */
export const RequiresForEach = (permission: Action, summary: string, description?: string): MethodDecorator =>
  required({ permission, list: true }, summary, description);

/**
 * For operations that would change the system tenant, or add something to it: the guard refuses them there, even to callers with the
 * permission. A test checks that each change below a tenant declares it, or concerns something that the system has as well.
 */
export const NotInSystem = (): MethodDecorator => SetMetadata(NOT_IN_SYSTEM, true);

/** Requires no credentials. */
export const Public = (summary: string, description?: string): MethodDecorator =>
  applyDecorators(SetMetadata(PUBLIC, true), described(summary, description)) as MethodDecorator;
