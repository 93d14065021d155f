import { FilterTurns } from './filter-turns.js';

describe('turns of filters', () => {
  it('let the loop turn between two pieces of work, in the order in which they were asked for', async () => {
    const turns = new FilterTurns();
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
      turns.take(() => {
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

  it('go on behind a piece that fails', async () => {
    const turns = new FilterTurns();
    const failing = turns.take(() => {
      throw new Error('too costly');
    });
    const next = turns.take(() => 'next');
    await expect(failing).rejects.toThrow('too costly');
    expect(await next).toBe('next');
  });
});
