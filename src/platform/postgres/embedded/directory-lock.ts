import { randomBytes } from 'node:crypto';
import { access, readdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { embeddedError } from './embedded-errors.js';

const PREFIX = 'postgres.lock.';
const ATTEMPTS_MAX = 10;
const ANSWER_MS_MAX = 1_000;

interface Other {
  readonly pid: string;
  readonly holds: boolean;
}

/**
 * One app per cluster, also after `kill -9`: the kernel closes a listening socket when its process dies, however it dies.
 *
 * Each app listens on a name of its own, and only then looks for others; so of any two at least one sees the other. An app that sees a live
 * one withdraws: for good if that one holds the lock, for another try after a random pause if it is only looking as well. A name on which
 * no app responds is stale and is removed. One name for all is simpler, but of two apps that find it stale the slower one removes the lock
 * that the faster one has just taken; a file with a pid in it would have to guess whether that pid is still the same process, and cannot
 * see into another container.
 */
export class DirectoryLock {
  private held = false;
  private readonly name = `${PREFIX}${process.pid}-${randomBytes(3).toString('hex')}`;
  private server: Server | undefined;

  private constructor(private readonly directory: string) {}

  static async take(directory: string, dataDir: string): Promise<DirectoryLock> {
    for (let attempt = 1; ; attempt++) {
      const lock = new DirectoryLock(directory);
      await lock.listen();
      const other = await lock.findOther();
      if (!other && (await lock.isListed())) {
        lock.held = true;
        return lock;
      }
      await lock.release();
      if (other?.holds || attempt === ATTEMPTS_MAX) {
        const who = other ? `Another app (pid ${other.pid})` : 'Another app';
        throw embeddedError(
          'embedded-in-use',
          `${who} runs on the data directory ${dataDir}. Stop it, or set DATA_DIR to another directory; several apps can share a PostgreSQL that DATABASE_URL names.`,
        );
      }
      await pause(10 + Math.random() * 50 * attempt);
    }
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.end(this.held ? 'holds' : 'looks');
      });
      this.server = server.unref();
      server.once('error', reject);
      server.listen(join(this.directory, this.name), resolve);
    });
  }

  /** Between bind and listen we looked dead, and another app may have removed our name; then no app would see us. */
  private isListed(): Promise<boolean> {
    return access(join(this.directory, this.name)).then(
      () => true,
      () => false,
    );
  }

  private async findOther(): Promise<Other | undefined> {
    const names = await readdir(this.directory);
    for (const name of names.filter((found) => found.startsWith(PREFIX) && found !== this.name)) {
      const answer = await ask(join(this.directory, name));
      if (answer === 'dead') await unlink(join(this.directory, name)).catch(() => undefined);
      else return { pid: name.slice(PREFIX.length).split('-', 1)[0]!, holds: answer === 'holds' };
    }
    return undefined;
  }
}

/** A process that does not respond is alive, perhaps stopped; so is one that we may not connect to. */
function ask(path: string): Promise<'holds' | 'looks' | 'dead'> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve('dead');
    });
    socket.on('close', () => resolve(answer === 'looks' ? 'looks' : 'holds'));
  });
}
