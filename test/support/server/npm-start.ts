import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
/** Includes the build by the first start on a fresh checkout. */
const PATIENCE_MS = 120_000;

/** A command of package.json as in a terminal: npm, the script and the server in one process group. */
export interface TerminalCommand {
  readonly pid: number;
  output(): string;
  /** Resolves with the output as soon as it contains the text; rejects when the command ends without it. */
  says(text: string): Promise<string>;
  /** Ctrl-C: the terminal sends the signal to each process of the group. */
  interrupt(): void;
  /** The terminal is closed: SIGHUP, likewise. */
  hangUp(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function type(script: 'start' | 'demo', env: Readonly<Record<string, string>>): TerminalCommand {
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn('npm', ['run', script], {
    cwd: ROOT,
    detached: true,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('output');
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  const says = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => (): void => reject(new Error(`${why} without "${text}":\n${output}`));
      const timer = setTimeout(fail('Time is over'), PATIENCE_MS);
      const look = (): void => {
        if (!output.includes(text)) return;
        clearTimeout(timer);
        resolve(output);
      };
      child.on('output', look);
      child.once('close', () => (clearTimeout(timer), fail('It ended')()));
      look();
    });
  return {
    pid: child.pid!,
    output: () => output,
    says,
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
    hangUp: () => process.kill(-child.pid!, 'SIGHUP'),
    ended,
  };
}
