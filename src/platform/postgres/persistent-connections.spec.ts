import { EventEmitter } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { PersistentConnections } from './persistent-connections.js';

/** A pool like pg's: a connection that is lent does not return to it unless it is released. */
class FakePool {
  readonly options = { max: 2 };
  open = 0;
  mostOpen = 0;
  away = false;

  connect(): Promise<PoolClient> {
    if (this.away) return Promise.reject(new Error('connect ECONNREFUSED'));
    if (this.open === this.options.max) return new Promise(() => undefined);
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    const client = Object.assign(new EventEmitter(), {
      release: () => {
        this.open--;
        client.emit('end');
      },
    });
    return Promise.resolve(client as unknown as PoolClient);
  }
  end = (): Promise<void> => Promise.resolve();
}

let pool: FakePool;
let connections: PersistentConnections;
beforeEach(() => {
  pool = new FakePool();
  connections = new PersistentConnections(pool as unknown as Pool);
});

/** Lends a connection until the test decides how it ends. */
function use(): { readonly outcome: Promise<string>; readonly end: PromiseWithResolvers<string> } {
  const end = Promise.withResolvers<string>();
  return { outcome: connections.use(() => end.promise), end };
}

it('serves concurrent callers in turn, with as many connections as the pool has', async () => {
  const uses = Array.from({ length: 7 }, use);
  for (const { outcome, end } of uses) {
    end.resolve('done');
    expect(await outcome).toBe('done');
  }
  expect([pool.mostOpen, pool.open]).toEqual([2, 2]);
});

it('opens another for a waiting caller when one broke', async () => {
  const uses = Array.from({ length: 4 }, use);
  for (const { outcome, end } of uses.slice(0, 2)) {
    end.reject(new Error('Connection terminated'));
    await expect(outcome).rejects.toThrow('terminated');
  }
  for (const { outcome, end } of uses.slice(2)) {
    end.resolve('done');
    expect(await outcome).toBe('done');
  }
  expect(pool.open).toBe(2);
});

it('keeps a connection after an error that the server reported', async () => {
  const { outcome, end } = use();
  end.reject(Object.assign(new Error('duplicate key'), { code: '23505' }));
  await expect(outcome).rejects.toThrow('duplicate');
  await connections.use(() => Promise.resolve('done'));
  expect(pool.open).toBe(1);
});

it('reports to every caller in line that the server is unreachable', async () => {
  const uses = Array.from({ length: 5 }, use);
  pool.away = true;
  for (const { end } of uses.slice(0, 2)) end.reject(new Error('Connection terminated'));
  for (const { outcome } of uses) await expect(outcome).rejects.toThrow(/terminated|ECONNREFUSED/);
  pool.away = false;
  expect(await connections.use(() => Promise.resolve('done'))).toBe('done');
});
