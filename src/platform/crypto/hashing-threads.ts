import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';

/** Either a cost, to hash with, or a hash, to compare with. */
export interface HashingJob {
  readonly input: string;
  readonly cost?: number;
  readonly hash?: string;
}

export type HashingAnswer = { readonly result: string | boolean } | { readonly error: Error };

interface Thread {
  readonly worker: Worker;
  job: PromiseWithResolvers<string | boolean> | undefined;
}

/**
 * With this niceness a hash gets about a tenth of a core that something else needs. At equal priority it takes an equal share from the event
 * loop: on two cores kept busy by other processes, 50 logins a second made the loop wait for a core for 4.2 to 4.7 s of 6, and the p99 of other
 * requests was 2.8 to 5.2 times as long, the slowest 740 to 980 ms. With it, the loop waits for 2.5 to 3.3 s, the p99 is 1.4 to 1.5 times as
 * long, and about as many logins are done. The lowest priority, 19, would leave a hash a hundredth: no one could log in while the machine is
 * busy.
 */
const NICENESS = 10;

/**
 * bcrypt in its own threads, with a priority below the rest. In the libuv pool, where bcrypt runs by default, the priority of a hash cannot be
 * lowered without that of file access and name lookups. A thread is kept once it has been needed, some 10 MB. Callers limit how many hash at
 * once.
 */
@Injectable()
export class HashingThreads {
  private readonly threads = new Set<Thread>();

  hash(input: string, cost: number): Promise<string> {
    return this.run({ input, cost }) as Promise<string>;
  }

  compare(input: string, hash: string): Promise<boolean> {
    return this.run({ input, hash }) as Promise<boolean>;
  }

  /** Hashes in progress are rejected. */
  async close(): Promise<void> {
    await Promise.all([...this.threads].map(({ worker }) => worker.terminate()));
  }

  private run(job: HashingJob): Promise<string | boolean> {
    const thread = [...this.threads].find((one) => one.job === undefined) ?? this.begin();
    thread.job = Promise.withResolvers();
    // A process does not exit during a hash, and a thread alone does not keep it alive.
    thread.worker.ref();
    thread.worker.postMessage(job);
    return thread.job.promise;
  }

  private begin(): Thread {
    const module = new URL(`./hashing-thread${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(module, { workerData: { niceness: NICENESS } });
    const thread: Thread = { worker, job: undefined };
    let failure = new Error('The thread that hashes has ended.');
    worker.on('message', (answer: HashingAnswer) => {
      const { job } = thread;
      thread.job = undefined;
      worker.unref();
      if ('error' in answer) job?.reject(answer.error);
      else job?.resolve(answer.result);
    });
    worker.on('error', (error: Error) => (failure = error));
    worker.on('exit', () => {
      this.threads.delete(thread);
      thread.job?.reject(failure);
    });
    this.threads.add(thread);
    return thread;
  }
}
