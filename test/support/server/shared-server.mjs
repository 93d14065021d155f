import { fork } from 'node:child_process';

/**
 * A server process that the test files of one Jest worker share. Each file has its own modules, so this one lives outside of them, with
 * their environment (environment.mjs). The first file that asks starts it; it ends with the worker, by the channel between them. If it
 * ends earlier, that file is named, and each later one fails with the same message: no file silently gets another server.
 */
export class SharedServer {
  #user = '';
  #running;
  #output = '';
  #end;

  /** The test file that runs now. */
  usedBy(testPath) {
    this.#user = testPath;
  }

  /** `prepare` is called once; it returns the module to run, the options of its process, and what else files must know. */
  async running(prepare) {
    this.check();
    return (this.#running ??= this.#start(prepare));
  }

  /** Throws when it has ended. */
  check() {
    if (this.#end) throw new Error(this.#end);
  }

  async #start(prepare) {
    const { module, options, ...known } = await prepare();
    const child = fork(module, options);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.#output += chunk));
      stream.unref();
    }
    const told = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('close', (code, signal) => {
        this.#end = `The shared server ended (${signal ?? code}) during ${this.#user}: ${this.#output}`;
        reject(new Error(this.#end));
      });
    });
    if (told.failure !== undefined) throw new Error(told.failure);
    // It does not keep the worker alive: see above.
    child.unref();
    child.channel.unref();
    return { ...known, ...told, pid: child.pid };
  }
}
