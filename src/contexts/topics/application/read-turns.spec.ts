import { ReadTurns, type Schedule } from './read-turns.js';

describe('turns of filters', () => {
  it('let the event loop turn between two pieces of work, which run in the order of their requests', async () => {
    const turns = new ReadTurns();
    const seen: string[] = [];
    let loops = 0;
    let watching = true;
    const watch = (): void => {
      loops++;
      if (watching) setImmediate(watch);
    };
    setImmediate(watch);
    const at: number[] = [];
    const pieces = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      turns.take('acme', () => {
        at.push(loops);
        seen.push(name);
        return name;
      }),
    );
    expect(await Promise.all(pieces)).toEqual(['a', 'b', 'c', 'd', 'e']);
    watching = false;
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(new Set(at).size).toBe(5);
  });

  it('continue after a piece that fails', async () => {
    const turns = new ReadTurns();
    const failing = turns.take('acme', () => {
      throw new Error('too costly');
    });
    const next = turns.take('acme', () => 'next');
    await expect(failing).rejects.toThrow('too costly');
    expect(await next).toBe('next');
  });

  it('are measured, failures too: six readers with expensive filters leave four fifths of the time to others', async () => {
    const loop = new Loop();
    const turns = new ReadTurns(loop);
    let filteredMs = 0;
    const refused = (): never => {
      loop.ms += 20;
      filteredMs += 20;
      throw new Error('too costly');
    };
    const read = async (): Promise<void> => {
      while (loop.ms < 10_000) await turns.take('loud', refused).catch(() => undefined);
    };
    const readers = Promise.all(Array.from({ length: 6 }, read));
    await loop.runUntil(20_000);
    await readers;
    expect(filteredMs).toBeLessThan(10_000 * 0.2 + 200);
    expect(filteredMs).toBeGreaterThan(10_000 * 0.2 - 200);
  });

  it('of another tenant come before the pause that a flood has to make', async () => {
    const loop = new Loop();
    const turns = new ReadTurns(loop);
    const flood = Array.from({ length: 50 }, () => turns.take('loud', () => (loop.ms += 20)));
    await loop.runUntil(1_000);
    const askedMs = loop.ms;
    const other = turns.take('modest', () => loop.ms);
    await loop.runUntil(askedMs + 100);
    expect((await other) - askedMs).toBeLessThanOrEqual(50);
    await loop.runUntil(10_000);
    await Promise.all(flood);
  });
});

/** A loop whose time passes when work says so, or when there is nothing to do. */
class Loop implements Schedule {
  ms = 0;
  private planned: { readonly atMs: number; readonly work: () => void } | undefined;

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, work: () => void): () => void {
    const planned = { atMs: this.ms + Math.max(0, delayMs), work };
    this.planned = planned;
    return () => {
      if (this.planned === planned) this.planned = undefined;
    };
  }

  async runUntil(endMs: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve)); // those that had a turn ask for the next
      const { planned } = this;
      if (!planned || planned.atMs > endMs) break;
      this.planned = undefined;
      this.ms = Math.max(this.ms, planned.atMs);
      planned.work();
    }
    this.ms = Math.max(this.ms, endMs);
  }
}
