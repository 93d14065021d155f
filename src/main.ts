import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RunningApp } from './bootstrap.js';
import { DomainError } from './kernel/domain-error.js';
import { loadSettings, profileOf, SettingsError } from './platform/config/index.js';
import { EarlyListener } from './platform/http/early-listener.js';
import { processLogger } from './platform/telemetry/logger.js';
import { greeting } from './platform/telemetry/greeting.js';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string;
};

const LISTEN_FAILED = 'Set PORT and HOST to an address of this machine that is free.';
/** All signals that ask a process to end: an orchestrator, Ctrl-C, a terminal that is closed, Ctrl-\. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
/** One Ctrl-C arrives up to three times: from the terminal, from npm and from scripts/start.mjs, which pass it on. */
const SAME_SIGNAL_MS = 1_000;

/** Errors that the operator can fix are one sentence; only others come with a stack trace. */
function giveUp(error: unknown): never {
  const { message, stack, syscall } = error as NodeJS.ErrnoException;
  const cannotListen = syscall === 'listen' || syscall === 'getaddrinfo';
  const expected = error instanceof SettingsError || error instanceof DomainError;
  process.stderr.write(`${cannotListen ? `${message}. ${LISTEN_FAILED}` : expected ? message : stack}\n`);
  process.exit(1);
}

/** The first signal stops in order, even in the middle of the start; a second one ends the process at once. */
function stopOnSignal(starting: Promise<RunningApp>, abandon: AbortController, log: Logger): void {
  let stoppingSince: number | undefined;
  const stop = async (signal: string): Promise<void> => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    log.info({ signal }, 'stopping: requests drain, deliveries finish, the store stops last');
    abandon.abort();
    try {
      await starting.then((running) => running.stop());
    } catch (error) {
      if (!isAbort(error)) giveUp(error);
    }
    log.info('stopped');
    log.flush();
    process.exit(0);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, () => void stop(signal));
}

const isAbort = (error: unknown): boolean => (error as Error).name === 'AbortError';

try {
  const settings = loadSettings({ env: process.env });
  const abandon = new AbortController();
  // On localhost, which may be two addresses, the framework listens by itself.
  const { port, host } = settings.http;
  const listener = host === 'localhost' ? undefined : await EarlyListener.open(port, host);
  const { start } = await import('./bootstrap.js');
  const starting = start(settings, version, { listener, signal: abandon.signal });
  stopOnSignal(starting, abandon, processLogger(settings.log.level));
  const running = await starting;
  process.stdout.write(
    greeting(running, {
      version,
      profile: profileOf(process.env),
      docs: settings.http.docs,
      allowedCidrs: settings.delivery.allowedCidrs,
    }),
  );
  flushCompileCache(); // now, since a killed process never does
} catch (error) {
  // stopOnSignal handles a stop in the middle of the start.
  if (!isAbort(error)) giveUp(error);
}
