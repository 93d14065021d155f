import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import {
  ADMIN_SETTINGS,
  AUDIT_SETTINGS,
  DELIVERY_SETTINGS,
  HTTP_SETTINGS,
  MAIL_SETTINGS,
  PUBLISH_SETTINGS,
  READ_SETTINGS,
  ROLES,
  SECURITY_SETTINGS,
  STORAGE_SETTINGS,
  TELEMETRY_SETTINGS,
  TENANT_SETTINGS,
  type Settings,
} from './config/index.js';
import { OPEN_STORAGE, type OpenStorage } from './postgres/open-storage.js';
import { loggerOptions } from './telemetry/logger.js';

/** What exists before Nest does: the store is up, migrated and connected. */
export interface StartupParts extends OpenStorage {
  readonly settings: Settings;
}

/**
 * The values from outside of Nest: settings and log, which all modules have, and the store, which PostgresModule and CryptoModule provide.
 * Global, because Nest takes values from only one import of a module with arguments; all others of the platform are imported by name.
 */
@Global()
@Module({})
export class StartupModule {
  static with({ settings, ...store }: StartupParts): DynamicModule {
    const providers = [...settingsProviders(settings), { provide: OPEN_STORAGE, useValue: store }];
    return {
      module: StartupModule,
      imports: [LoggerModule.forRoot(loggerOptions(settings.log.level))],
      providers,
      exports: providers,
    };
  }
}

function settingsProviders(settings: Settings): Provider[] {
  return [
    { provide: HTTP_SETTINGS, useValue: settings.http },
    { provide: ADMIN_SETTINGS, useValue: settings.admin },
    { provide: MAIL_SETTINGS, useValue: settings.mail },
    { provide: SECURITY_SETTINGS, useValue: settings.security },
    { provide: PUBLISH_SETTINGS, useValue: settings.publish },
    { provide: READ_SETTINGS, useValue: settings.read },
    { provide: STORAGE_SETTINGS, useValue: settings.storage },
    { provide: DELIVERY_SETTINGS, useValue: settings.delivery },
    { provide: TENANT_SETTINGS, useValue: settings.tenants },
    { provide: AUDIT_SETTINGS, useValue: settings.audit },
    { provide: TELEMETRY_SETTINGS, useValue: settings.telemetry },
    { provide: ROLES, useValue: settings.roles },
  ];
}
