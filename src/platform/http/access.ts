import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiOperation, ApiSecurity } from '@nestjs/swagger';

export const PERMISSION = 'access:permission';
export const PUBLIC = 'access:public';

/** What a caller must be allowed to do, as `resource:action`. Every route declares it or says that it is public; a test sees to it. */
export type Permission = `${string}:${string}`;

export const Requires = (permission: Permission, summary: string): MethodDecorator =>
  applyDecorators(
    ApiOperation({ summary }),
    SetMetadata(PERMISSION, permission),
    ApiExtension('x-permission', permission),
    ApiBearerAuth(),
    ApiSecurity('apiKey'),
  ) as MethodDecorator;

/** Answers without credentials. */
export const Public = (summary: string): MethodDecorator =>
  applyDecorators(SetMetadata(PUBLIC, true), ApiOperation({ summary })) as MethodDecorator;
