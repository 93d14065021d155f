import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientConfig } from 'pg';

/** Another process that runs the embedded PostgreSQL of a data directory. */
export interface EmbeddedApp {
  /** Of the app itself. */
  readonly appPid: number;
  /** Of its PostgreSQL. */
  readonly pid: number;
  readonly connection: ClientConfig;
  /** SIGKILL: PostgreSQL stays behind. */
  kill(): Promise<void>;
  /** Exits without stopping anything, as after an uncaught error. */
  exit(): Promise<void>;
  /** Graceful: PostgreSQL stops, too. */
  stop(): Promise<void>;
}

interface Announcement {
  readonly pid: number;
  readonly connection: ClientConfig;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** `kill` works from the first moment, so that a start can be killed midway. */
export function startEmbeddedApp(
  dataDir: string,
  systemDir: string,
  identity: { readonly uid?: number; readonly gid?: number } = {},
): { readonly app: Promise<EmbeddedApp>; kill(): Promise<void> } {
  const child = fork(fileURLToPath(new URL('embedded-process.mjs', import.meta.url)), [dataDir, systemDir], {
    ...identity,
    execArgv: ['--no-warnings'],
  });
  const end = async (demand: () => unknown): Promise<void> => {
    if (isOver(child)) return;
    const gone = once(child, 'exit');
    demand();
    await gone;
  };
  const kill = (): Promise<void> => end(() => child.kill('SIGKILL'));
  const app = announced(child).then(({ pid, connection }) => ({
    appPid: child.pid!,
    pid,
    connection,
    kill,
    exit: () => end(() => child.send('exit')),
    stop: () => end(() => child.send('stop')),
  }));
  return { app, kill };
}

async function announced(child: ChildProcess): Promise<Announcement> {
  const told = Promise.withResolvers<Announcement>();
  child.once('message', (message) => told.resolve(message as Announcement));
  child.once('exit', (code, signal) => told.reject(new Error(`The app ended (${code ?? signal}) without a word.`)));
  const announcement = await told.promise;
  if (!announcement.failure) return announcement;
  const { code, message } = announcement.failure;
  throw Object.assign(new Error(message), { code });
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
