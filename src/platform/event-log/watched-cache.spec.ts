import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { WatchedCache } from './watched-cache.js';

interface Value {
  readonly owner: string;
  readonly version: number;
}

const OWNER_OF: Readonly<Record<string, string>> = { a: 'one', b: 'one', c: 'two' };
const KEYS = Object.keys(OWNER_OF);

/** The store's contents, events that are committed but not reported yet, and loads whose reads can be delayed. */
class World {
  readonly watch = { ageMs: 0 };
  readonly cache = new WatchedCache<Value>(this.watch, {
    max: 2,
    absent: { max: 1 },
    dependsOn: ({ owner }) => [owner],
    readsMax: 2,
  });
  /** By key, the value at each version; null: none. */
  private readonly history = new Map(KEYS.map((key) => [key, [this.valueOf(key, 0)]]));
  private readonly told = new Map(KEYS.map((key) => [key, 0]));
  private readonly untold: (() => void)[] = [];
  private readonly reads: {
    readonly key: string;
    found?: Value | null;
    readonly answer: (value: Value | null) => void;
  }[] = [];
  hits = 0;

  private valueOf(key: string, version: number, exists = true): Value | null {
    return exists ? { owner: OWNER_OF[key]!, version } : null;
  }

  /** A key changes, or all of an owner; the cache does not know yet. */
  commit(subject: string, exists: boolean): void {
    const concerned = KEYS.filter((one) => one === subject || OWNER_OF[one] === subject);
    const versions = concerned.map((key) => {
      const history = this.history.get(key)!;
      history.push(this.valueOf(key, history.length, exists));
      return [key, history.length - 1] as const;
    });
    this.untold.push(() => {
      for (const [key, version] of versions) this.told.set(key, Math.max(version, this.told.get(key)!));
      if (KEYS.includes(subject)) this.cache.forget(subject);
      else this.cache.forgetDependents(subject);
    });
  }

  /** In any order, as an event of this process is reported before older ones of others. */
  tell(which: number): void {
    if (this.untold.length > 0) this.untold.splice(which % this.untold.length, 1)[0]!();
  }

  tellAll(): void {
    while (this.untold.length > 0) this.tell(0);
    this.watch.ageMs = 0;
  }

  /** A saga failed: everything is forgotten. */
  miss(): void {
    for (const tell of this.untold.splice(0)) tell();
    this.cache.forgetAll();
  }

  load(key: string): void {
    void this.cache.load(key, () => new Promise<Value | null>((answer) => this.reads.push({ key, answer })));
  }

  read(which: number): void {
    const read = this.reads[which % this.reads.length];
    if (read && read.found === undefined) read.found = this.history.get(read.key)!.at(-1)!;
  }

  async answer(which: number): Promise<void> {
    if (this.reads.length === 0) return;
    this.read(which);
    const [{ found, answer }] = this.reads.splice(which % this.reads.length, 1) as [
      Required<(typeof this.reads)[number]>,
    ];
    answer(found);
    await turn();
  }

  get(key: string): void {
    const got = this.cache.get(key);
    if (got === undefined) return;
    this.hits++;
    if (this.watch.ageMs > 1_000) throw new Error('trusted although the log is out of reach');
    // Another object may have been read at the same version; only its content counts.
    const still = this.history.get(key)!.slice(this.told.get(key)!);
    const found = still.some((value) => value?.version === got?.version);
    if (!found) throw new Error(`${key} is older than an event it knows of`);
  }
}

const key = fc.constantFrom(...KEYS);
const number = fc.nat(7);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ step: fc.constant('load' as const), key }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('read' as const), number }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('answer' as const), number }) },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant('commit' as const),
      subject: fc.constantFrom(...KEYS, 'one', 'two'),
      exists: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('tell' as const), number }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constantFrom('tellAll' as const, 'miss' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('wait' as const), ms: fc.constantFrom(400, 1_001) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(world: World, taken: Step): Promise<void> {
  if (taken.step === 'load') world.load(taken.key);
  else if (taken.step === 'read') world.read(taken.number);
  else if (taken.step === 'answer') await world.answer(taken.number);
  else if (taken.step === 'commit') world.commit(taken.subject, taken.exists);
  else if (taken.step === 'tell') world.tell(taken.number);
  else if (taken.step === 'wait') world.watch.ageMs += taken.ms;
  else world[taken.step]();
}

const watch = { ageMs: 0 };

describe('a watched cache', () => {
  it('returns nothing older than an event it knows of, whatever overtakes what, and nothing while the log is out of reach', async () => {
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 40 }), async (steps) => {
        const world = new World();
        for (const one of steps) {
          await take(world, one);
          for (const each of KEYS) world.get(each);
        }
        hits += world.hits;
      }),
      { numRuns: 1_000 },
    );
    expect(hits).toBeGreaterThan(1_000);
  });

  it('reads an overtaken value again, as often as configured, and then returns it without keeping it', async () => {
    const cache = new WatchedCache<object>(watch, { max: 2, readsMax: 3 });
    const read: object[] = [];
    const overtaken = (times: number) => async () => {
      if (read.length < times) cache.forget('another');
      read.push({});
      return read.at(-1)!;
    };
    expect(await cache.load('a', overtaken(2))).toBe(cache.get('a'));
    expect(read.splice(0)).toHaveLength(3);
    expect(await cache.load('b', overtaken(9))).toBe(read[2]);
    expect([read.length, cache.get('b')]).toEqual([3, undefined]);
  });

  it('remembers absent keys separately, and forgets them with any event that they might depend on', async () => {
    const cache = new WatchedCache<Value>(watch, { max: 1, absent: { max: 2 }, dependsOn: ({ owner }) => [owner] });
    await cache.load('there', async () => ({ owner: 'one', version: 1 }));
    for (const missing of ['x', 'y', 'z']) await cache.load(missing, async () => null);
    expect(['there', 'x', 'y', 'z'].map((name) => cache.get(name) && 'value')).toEqual([
      'value',
      undefined,
      null,
      null,
    ]);
    cache.forgetDependents('two');
    expect(['there', 'y', 'z'].map((name) => cache.get(name) && 'value')).toEqual(['value', undefined, undefined]);
  });

  it('is bounded by number and by size, reports what it drops, and keeps a single value that is larger', async () => {
    const dropped: number[] = [];
    const cache = new WatchedCache<Value>(watch, {
      max: 3,
      sizes: { max: 10, of: ({ version }) => version },
      onDropped: ({ version }) => dropped.push(version),
    });
    const load = (size: number) => cache.load(`of ${size}`, async () => ({ owner: 'one', version: size }));
    for (const size of [0, 1, 2, 3]) await load(size);
    expect(dropped).toEqual([0]);
    cache.get('of 1');
    await load(7);
    expect(dropped).toEqual([0, 2, 3]);
    await load(11);
    expect([dropped, cache.get('of 11')]).toEqual([[0, 2, 3, 1, 7], { owner: 'one', version: 11 }]);
  });
});
