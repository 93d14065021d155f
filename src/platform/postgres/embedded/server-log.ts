import { constants } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { openPlainFile } from './held-directory.js';

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const BYTES_MAX = 10 * 1024 * 1024;
const LAST_WORDS_CHARS = 2_000;
const LAST_WORDS_BYTES = 64 * 1024;
/** Logged at each of our own attempts to connect while it recovers, until these lines hide all others. */
const NOT_YET =
  /FATAL: {2}the database system is (not yet accepting connections|starting up|in recovery mode|shutting down)/;

/** The file that the server writes to: bounded, with one predecessor (`.1`) kept. */
export class ServerLog {
  constructor(readonly file: string) {}

  async size(): Promise<number> {
    return stat(this.file).then(
      ({ size }) => size,
      () => 0,
    );
  }

  /** For a new server. In append mode, which lets `trim` empty the file under a running one. */
  async open(): Promise<FileHandle> {
    await this.trim();
    return openPlainFile(this.file, O_WRONLY | O_CREAT | O_APPEND, 0o600);
  }

  /** A line written meanwhile may be lost; a disk filled by the log would cost more. */
  async trim(bytesMax = BYTES_MAX): Promise<void> {
    if ((await this.size()) <= bytesMax) return;
    const handle = await openPlainFile(this.file, O_RDWR);
    try {
      const partial = `${this.file}.1.partial`;
      await rm(partial, { force: true });
      const copy = await open(partial, 'wx', 0o600);
      await pipeline(handle.createReadStream({ start: 0, autoClose: false }), copy.createWriteStream());
      await rename(partial, `${this.file}.1`);
      await handle.truncate(0);
    } finally {
      await handle.close();
    }
  }

  /** The last lines from a byte on, without refusals of connections that came too early. */
  async lastWords(from = 0): Promise<string> {
    const size = await this.size();
    const start = Math.max(from, size - LAST_WORDS_BYTES);
    if (size <= start) return '';
    const handle = await openPlainFile(this.file, O_RDONLY);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
      const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
      const informative = lines.filter((line) => !NOT_YET.test(line));
      return informative.join('\n').trim().slice(-LAST_WORDS_CHARS);
    } finally {
      await handle.close();
    }
  }
}
