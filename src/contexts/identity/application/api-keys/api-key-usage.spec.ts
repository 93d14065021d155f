import type { PinoLogger } from 'nestjs-pino';
import type { ApiKeyStore, KeyUse } from './ports.js';
import { ApiKeyUsage } from './api-key-usage.js';

class Stage {
  readonly stored: (readonly KeyUse[])[] = [];
  answer: () => Promise<void> = () => Promise.resolve();
  readonly usage = new ApiKeyUsage(
    {
      addUse: (uses: readonly KeyUse[]) => {
        this.stored.push(uses);
        return this.answer();
      },
    } as unknown as ApiKeyStore,
    { flushMs: 3_600_000 },
    {} as PinoLogger,
  );
}

let stage: Stage;
beforeEach(() => (stage = new Stage()));

describe('the use of API keys', () => {
  it('is stored as one sum per key, and not at all if no key was used', async () => {
    const { usage, stored } = stage;
    usage.note('a', 1, '10.0.0.1');
    usage.note('b', 2, '10.0.0.2');
    usage.note('a', 3, '10.0.0.3');
    expect(usage.pendingOf('a')).toEqual({ count: 2, lastAt: 3, address: '10.0.0.3' });
    await usage.flush();
    await usage.flush();
    expect(stored).toEqual([
      [
        { keyId: 'a', count: 2, lastAt: 3, address: '10.0.0.3' },
        { keyId: 'b', count: 1, lastAt: 2, address: '10.0.0.2' },
      ],
    ]);
    expect(usage.pendingOf('a')).toBeUndefined();
  });

  it('is still counted while it is being stored, and always shown', async () => {
    const { usage, stored } = stage;
    const stalled = Promise.withResolvers<void>();
    stage.answer = () => stalled.promise;
    usage.note('a', 1, 'x');
    const flushing = usage.flush();
    expect(usage.pendingOf('a')?.count).toBe(1);
    usage.note('a', 2, 'y');
    expect(usage.pendingOf('a')).toEqual({ count: 2, lastAt: 2, address: 'y' });
    stalled.resolve();
    await flushing;
    expect(usage.pendingOf('a')?.count).toBe(1);
    await usage.close();
    expect(stored.map(([use]) => use!.count)).toEqual([1, 1]);
  });

  it('is not lost while the store is unavailable', async () => {
    const { usage, stored } = stage;
    stage.answer = () => Promise.reject(new Error('away'));
    usage.note('a', 1, 'x');
    usage.note('b', 1, 'x');
    const flushing = usage.flush();
    usage.note('a', 2, 'y');
    await expect(flushing).rejects.toThrow('away');
    stage.answer = () => Promise.resolve();
    await usage.flush();
    expect(stored.at(-1)).toEqual([
      { keyId: 'a', count: 2, lastAt: 2, address: 'y' },
      { keyId: 'b', count: 1, lastAt: 1, address: 'x' },
    ]);
  });
});
