import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What must not outlive this process, however it ends. Each entry ends its own immediately and synchronously. */
const endings = new Set();

process.on('exit', () => {
  for (const end of endings) {
    try {
      end();
    } catch {
      // The rest must be ended all the same.
    }
  }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** Calls `end` when this process exits, unless the returned function is called before. */
export function atExit(end) {
  endings.add(end);
  return () => endings.delete(end);
}

function watch(child) {
  const forget = atExit(() => child.kill('SIGKILL'));
  child.once('exit', forget);
  return child;
}

export const startProcess = (args, options) => watch(spawn(process.execPath, args, options));

export async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/**
 * A module of ours in a process of its own, so that its cost does not burden the event loops of others. It answers each message `{id, ask,
 * …}` with `{id, answer}` or `{id, error}`.
 */
export class Peer {
  #child;
  #asked = new Map();
  #lastId = 0;

  constructor(module) {
    this.#child = watch(fork(module, { execPath: process.execPath, execArgv: ['--max-semi-space-size=64'] }));
    this.#child.on('message', ({ id, answer, error }) => {
      const { resolve, reject } = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Error(`${module}: ${error}`));
    });
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#asked.values()) reject(new Error(`${module} ended with ${code}`));
      this.#asked.clear();
    });
  }

  /** Rejects if there is no answer in time: a bench never hangs. */
  ask(ask, details = {}, { timeoutMs = 60_000 } = {}) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(id);
        reject(new Error(`no answer to "${ask}" within ${timeoutMs} ms`));
      }, timeoutMs);
      const settle = (done) => (value) => {
        clearTimeout(timer);
        done(value);
      };
      this.#asked.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#child.send({ id, ask, ...details });
    });
  }

  async stop() {
    this.#child.kill('SIGKILL');
    await ended(this.#child);
  }
}

/** The other side of a `Peer`. */
export function answerAsks(handlers) {
  process.on('message', ({ id, ask, ...details }) => {
    Promise.resolve()
      .then(() => handlers[ask](details))
      .then(
        (answer) => process.send({ id, answer }),
        (error) => process.send({ id, error: error.stack }),
      );
  });
  process.on('disconnect', () => process.exit());
}
