import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedServer } from './shared-server.mjs';

let directory: string;
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'event-store-shared-'))));
afterAll(() => rm(directory, { recursive: true, force: true }));

let asked = 0;
/** A process of this code. */
const running = (server: SharedServer, code: string) =>
  server.running(async () => {
    const module = join(directory, `server-${++asked}.mjs`);
    await writeFile(module, code);
    return { module, options: { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }, known: 'database' };
  });
/** Resolves when the end is noticed. */
const ended = async (server: SharedServer): Promise<Error> => {
  for (;;)
    try {
      server.check();
      await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      return error as Error;
    }
};
const LIVES = `process.on('disconnect', () => process.exit()); process.send({ url: 'http://here' });`;

describe('the server that files share', () => {
  it('is started by the first of them', async () => {
    const server = new SharedServer();
    const first = await running(server, LIVES);
    expect(first).toEqual({ url: 'http://here', known: 'database', pid: expect.any(Number) });
    const before = asked;
    expect([await running(server, LIVES), asked]).toEqual([first, before]);
    process.kill(first.pid, 'SIGKILL');
  });

  it('that ends early is reported with the running file and its last output, in that file and all later ones', async () => {
    const server = new SharedServer();
    server.usedBy('publish.spec.ts');
    await running(server, `process.on('SIGTERM', () => { console.error('no memory'); process.exit(7); }); ${LIVES}`);
    const { pid } = await running(server, LIVES);
    server.usedBy('read.spec.ts');
    process.kill(pid, 'SIGTERM');
    const words = 'The shared server ended (7) during read.spec.ts: no memory\n';
    expect((await ended(server)).message).toBe(words);
    server.usedBy('sse.spec.ts');
    await expect(running(server, LIVES)).rejects.toThrow(words);
  });

  it('that does not start is reported with the reason', async () => {
    await expect(running(new SharedServer(), `process.send({ failure: 'no port' });`)).rejects.toThrow('no port');
    await expect(running(new SharedServer(), `throw new Error('no code');`)).rejects.toThrow('no code');
  });
});
