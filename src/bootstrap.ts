import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { API_OUTLINE } from './api-outline.js';
import { AppModule } from './app.module.js';
import { InitializeHeads } from './contexts/audit/index.js';
import { DirectRoutes, InitialRoles } from './contexts/authz/index.js';
import { FirstAdministrator, SignCredentials, type InitialCredentials } from './contexts/identity/index.js';
import type { Settings } from './platform/config/index.js';
import { Hints, ManagementWatch } from './platform/event-log/index.js';
import { EarlyListener } from './platform/http/early-listener.js';
import { openApiDocument, serveDocs } from './platform/http/openapi.js';
import { OpenConnections } from './platform/http/open-connections.js';
import { createAdapter, installHttp } from './platform/http/server.js';
import { UnreadResponses } from './platform/http/unread-responses.js';
import { openStorage, type OpenStorage } from './platform/postgres/open-storage.js';
import { frameworkLog } from './platform/telemetry/framework-log.js';
import { processLogger } from './platform/telemetry/logger.js';
import { Readiness } from './platform/telemetry/readiness.js';

export interface RunningApp {
  readonly app: NestFastifyApplication;
  /** Where it listens. */
  readonly url: string;
  /** Only at the first start on an empty store. */
  readonly firstAccess: InitialCredentials | undefined;
  /** Ends requests, deliveries, connections and at last the embedded PostgreSQL. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Holds connections that arrive while we start. */
  readonly listener?: EarlyListener | undefined;
  /** Ends the wait for an unreachable store. */
  readonly signal?: AbortSignal;
}

/**
 * Starts everything in order: store, migrations, application, listener, first administrator. The administrator comes last, because their
 * credentials are shown only once: a start that fails after it would leave a store that no one can enter. Takes over `listener`. The API
 * documents are generated on first request: that saves 80 ms of a start.
 */
export async function start(
  settings: Settings,
  version: string,
  { listener, signal }: StartOptions = {},
): Promise<RunningApp> {
  const log = processLogger(settings.log.level);
  const store: OpenStorage = await openStorage(settings, log, signal);
  let app: NestFastifyApplication | undefined;
  let connections: OpenConnections | undefined;
  try {
    app = await NestFactory.create<NestFastifyApplication>(
      AppModule.with({ settings, ...store }),
      createAdapter(settings),
      {
        bufferLogs: true,
        bodyParser: false,
        abortOnError: false,
      },
    );
    app.useLogger(frameworkLog(app.get(Logger)));
    app.get(DirectRoutes).install(app.getHttpAdapter().getInstance());
    installHttp(app, settings);
    const { publicUrl, docs } = settings.http;
    serveDocs(app, () => openApiDocument(app!, { version, publicUrl }, API_OUTLINE), docs);
    await app.get(Hints).start();
    await app.get(ManagementWatch).start();
    await app.get(SignCredentials).run();
    await app.get(InitializeHeads).run();
    connections = new OpenConnections(app.getHttpAdapter().getInstance());
    const unread = new UnreadResponses(connections.sockets, settings.http, () =>
      log.info('a connection was ended: its answer was not read'),
    );
    app.getHttpServer().once('close', unread.watch());
    await (listener ? listener.handOver(app) : app.listen(settings.http.port, settings.http.host));
    const firstAccess = await app.get(FirstAdministrator).create();
    await app.get(InitialRoles).ensureAdministrator();
    app.get(Readiness).started();
    const running = { app, connections };
    return {
      app,
      url: await app.getUrl(),
      firstAccess,
      stop: () => stop(running, store, settings.http.shutdownGraceMs),
    };
  } catch (error) {
    // What already runs ends before the store it works on. The first failure is the one to report.
    const closed = connections?.closeUnused(settings.http.shutdownGraceMs);
    await app?.close().catch(() => undefined);
    closed?.();
    await store.database.close();
    await store.storage.stop();
    throw error;
  }
}

async function stop(
  { app, connections }: { readonly app: NestFastifyApplication; readonly connections: OpenConnections },
  { database, storage }: OpenStorage,
  graceMs: number,
): Promise<void> {
  app.get(Readiness).stopping();
  const closed = connections.closeUnused(graceMs);
  try {
    await app.close();
  } finally {
    closed();
    // Whatever failed, the embedded server must not be left running.
    await database.close().finally(() => storage.stop());
  }
}
