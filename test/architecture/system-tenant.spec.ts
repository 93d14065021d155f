import { globSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Delete, Get, Post, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import {
  NotInSystem,
  NOT_IN_SYSTEM,
  PERMISSION,
  Requires,
  type RequiredPermission,
} from '../../src/platform/http/access.js';

/** What the system tenant has as well: its members, their permissions, and its records. It has no consumers to change. */
const IN_SYSTEM_TOO: readonly RegExp[] = [
  /^(member|role|group|permission|audit):/,
  /^consumer:manage \/tenants\/:tenantId\/namespaces\/:namespaceId\/consumers\/:consumerId/,
];

type ControllerClass = abstract new (...parts: never[]) => object;

interface Change {
  readonly name: string;
  readonly notInSystem: boolean;
}

/** Operations that change something below a tenant. */
function changesOf(controllers: readonly ControllerClass[]): Change[] {
  return controllers.flatMap((controller) => {
    const base = Reflect.getMetadata(PATH_METADATA, controller) as string;
    return Object.values(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(({ value }) => {
      const of = (key: string): unknown =>
        typeof value === 'function' ? Reflect.getMetadata(key, value as object) : undefined;
      const method = of(METHOD_METADATA) as RequestMethod | undefined;
      const required = of(PERMISSION) as RequiredPermission | undefined;
      const path = `/${base}/${String(of(PATH_METADATA))}`.replace(/\/+/g, '/').replace(/\/$/, '');
      if (method === undefined || method === RequestMethod.GET || !required || !path.includes('/:tenantId')) return [];
      return [{ name: `${required.permission} ${path}`, notInSystem: of(NOT_IN_SYSTEM) === true }];
    });
  });
}

const forgotten = (changes: readonly Change[]): string[] =>
  changes
    .filter(({ name, notInSystem }) => notInSystem === IN_SYSTEM_TOO.some((known) => known.test(name)))
    .map(({ name }) => name);

const root = join(import.meta.dirname, '../../src/contexts');
const files = globSync('*/adapters/**/*.controller.ts', { cwd: root });
// One after another: Jest cannot link graphs that share modules at the same time.
const modules: object[] = [];
for (const file of files) modules.push((await import(join(root, file))) as object);
const controllers = modules
  .flatMap((module) => Object.values(module) as unknown[])
  .filter(
    (value): value is ControllerClass => typeof value === 'function' && Reflect.hasMetadata(PATH_METADATA, value),
  );

@Controller('tenants/:tenantId/planted')
class Planted {
  @Get()
  @Requires('topic:read', 'Read')
  read(): void {}

  @Post()
  @Requires('topic:create', 'Plant')
  plant(): void {}

  @Delete(':plantId')
  @Requires('topic:delete', 'Uproot')
  @NotInSystem()
  uproot(): void {}

  @Post('members')
  @Requires('member:manage', 'Invite')
  @NotInSystem()
  invite(): void {}
}

describe('a change below a tenant', () => {
  it('is refused in the system tenant, or concerns something the system has as well', () => {
    const changes = changesOf(controllers);
    expect(forgotten(changes)).toEqual([]);
    expect(changes.filter(({ notInSystem }) => notInSystem)).toHaveLength(12);
  });

  it('is reported if that is missing, or declared for something the system has: planted ones are found', () => {
    expect(forgotten(changesOf([Planted]))).toEqual([
      'topic:create /tenants/:tenantId/planted',
      'member:manage /tenants/:tenantId/planted/members',
    ]);
  });
});
