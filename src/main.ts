import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start, type RunningApp } from './bootstrap.js';
import { DomainError } from './kernel/domain-error.js';
import { loadSettings, profileOf, SettingsError, type Settings } from './platform/config/index.js';
import { processLogger } from './platform/telemetry/logger.js';
import { greeting } from './platform/telemetry/greeting.js';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string;
};

const LISTEN_FAILED = 'Set PORT and HOST to an address that is free.';

/** What can be put right from outside is said in one sentence; only what cannot comes with a stack trace. */
function giveUp(error: unknown): never {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const taken = code === 'EADDRINUSE' || code === 'EACCES';
  const told = error instanceof SettingsError || error instanceof DomainError;
  process.stderr.write(`${taken ? `${message}. ${LISTEN_FAILED}` : told ? message : stack}\n`);
  process.exit(1);
}

/** The first signal stops in order; a second one, at once. */
function stopOnSignal(running: RunningApp, settings: Settings): void {
  const log = processLogger(settings.log.level);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping: requests drain, deliveries finish, the store stops last');
    running.stop().then(
      () => {
        log.info('stopped');
        log.flush();
        process.exitCode = 0;
        setImmediate(() => process.exit());
      },
      (error: unknown) => giveUp(error),
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
}

try {
  const settings = loadSettings({ env: process.env });
  const running = await start(settings, version);
  stopOnSignal(running, settings);
  process.stdout.write(
    greeting(running, { version, profile: profileOf(process.env), allowedCidrs: settings.delivery.allowedCidrs }),
  );
} catch (error) {
  giveUp(error);
}
