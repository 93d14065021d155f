import { readFileSync, readdirSync } from 'node:fs';
import bcrypt from 'bcrypt';
import { HashingThreads } from './hashing-threads.js';

const threads = new HashingThreads();
afterEach(() => threads.close());

/** By thread number; the value is what `nice` shows. */
function niceness(): Map<string, number> {
  return new Map(
    readdirSync('/proc/self/task').map((id) => {
      const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
      return [id, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
    }),
  );
}

describe('hashing threads', () => {
  it('hash and compare as bcrypt does', async () => {
    const hash = await threads.hash('correct horse', 4);
    expect(hash).toMatch(/^\$2b\$04\$/);
    expect(await bcrypt.compare('correct horse', hash)).toBe(true);
    expect(await Promise.all(['correct horse', 'wrong'].map((one) => threads.compare(one, hash)))).toEqual([
      true,
      false,
    ]);
  });

  it('reject what bcrypt refuses, and continue', async () => {
    await expect(threads.hash(undefined as unknown as string, 4)).rejects.toThrow(/data/);
    await expect(threads.hash('a', 4)).resolves.toMatch(/^\$2b/);
  });

  it('reject the current hashes when they are closed, and start again when they are needed', async () => {
    await threads.hash('a', 4);
    const [long] = await Promise.all([Promise.allSettled([threads.hash('a', 20)]), threads.close()]);
    expect(long).toMatchObject([{ reason: { message: 'The thread that hashes has ended.' } }]);
    await expect(threads.hash('a', 4)).resolves.toMatch(/^\$2b/);
  });

  it('have a lower priority than all other threads, whose priority does not change', async () => {
    // On other systems the priority is not lowered.
    if (process.platform !== 'linux') return;
    const before = niceness();
    await threads.hash('a', 4);
    const after = niceness();
    expect([...before].filter(([id, nice]) => after.has(id) && after.get(id) !== nice)).toEqual([]);
    const own = Number(before.get(String(process.pid)));
    expect([...after].filter(([id, nice]) => !before.has(id) && nice === Math.min(19, own + 10))).toHaveLength(1);
  });
});
