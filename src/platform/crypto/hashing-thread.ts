/** The thread that `HashingThreads` starts. It imports packages only, so that it also runs as source, which the tests do. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import bcrypt from 'bcrypt';
import type { HashingAnswer, HashingJob } from './hashing-threads.js';

// Except on Linux the priority is that of the whole process.
if (process.platform === 'linux') setPriority((workerData as { readonly niceness: number }).niceness);

const answer = (message: HashingAnswer): void => parentPort!.postMessage(message);

parentPort!.on('message', ({ input, cost, hash }: HashingJob) => {
  try {
    answer({ result: hash === undefined ? bcrypt.hashSync(input, cost!) : bcrypt.compareSync(input, hash) });
  } catch (error) {
    answer({ error: error as Error });
  }
});
