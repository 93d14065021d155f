import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { embeddedError } from './embedded-errors.js';

/**
 * One process a data directory: a listening socket, which the kernel closes when its process dies, however it dies. Whoever finds the
 * file and gets no answer removes it; whoever gets one is told the pid of the other process.
 */
export class DirectoryLock {
  private constructor(private readonly server: Server) {}

  static async take(socketPath: string, dataDir: string): Promise<DirectoryLock> {
    for (let attempt = 1; ; attempt++) {
      const server = await listen(socketPath);
      if (server) return new DirectoryLock(server);
      const holder = await holderOf(socketPath);
      if (holder !== undefined || attempt === 5) {
        throw embeddedError(
          'embedded-in-use',
          `Another process (${holder ?? 'unknown'}) uses the data directory ${dataDir}. Stop it, or set DATA_DIR to another directory.`,
        );
      }
      await unlink(socketPath).catch(() => undefined);
    }
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Undefined: the path is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end(String(process.pid)));
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server.unref()));
  });
}

/** Undefined: nobody answers any more. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? undefined : 'unknown'),
    );
    socket.on('close', () => resolve(answer === '' ? 'it does not answer' : answer));
  });
}
