import { jest } from '@jest/globals';
import fc from 'fast-check';
import { LookUps } from './look-ups.js';
import type { ResolvedAddress } from './name-resolver.js';

const GOOD: readonly ResolvedAddress[] = [{ address: '93.184.216.34', family: 4, ttlSeconds: 60 }];
const TIMEOUT_MS = 3_000;
const BOUNDS = { perShare: 4, inAll: 6 };

/** Names say what happens to them: `silent`, `bad` and `good`, with a number and the share that asks for them. */
class Surroundings {
  readonly underWay: string[] = [];
  readonly begun: string[] = [];
  readonly lookUps = new LookUps((name, signal) => this.resolve(name, signal), {
    timeoutMs: TIMEOUT_MS,
    bounds: BOUNDS,
  });

  ask(name: string, signal?: AbortSignal): Promise<string> {
    const asking = { share: name.split('.').at(-1)!, signal };
    return this.lookUps.addressesOf(name, asking).then(
      () => 'addresses',
      (error: Error) => error.message,
    );
  }

  private async resolve(name: string, signal: AbortSignal): Promise<readonly ResolvedAddress[]> {
    this.begun.push(name);
    this.underWay.push(name);
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    const answered = new Promise<void>((resolve) => setTimeout(resolve, 100));
    await (name.startsWith('silent') ? ended : Promise.race([ended, answered]));
    this.underWay.splice(this.underWay.indexOf(name), 1);
    if (name.startsWith('good') && !signal.aborted) return GOOD;
    throw Object.assign(new Error(), { code: signal.aborted ? 'ECANCELLED' : 'ENOTFOUND' });
  }
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms).then(() => undefined);
const many = (count: number, share: string): string[] => Array.from({ length: count }, (_, i) => `silent${i}.${share}`);
const TOO_SLOW = 'the name took too long to resolve';
const NO_TURN = 'too many other names are being looked up';

let world: Surroundings;
beforeEach(() => {
  jest.useFakeTimers();
  world = new Surroundings();
});
afterEach(() => jest.useRealTimers());

describe('sixty silent names of one share', () => {
  it('take four slots, and a name of another share is looked up at once', async () => {
    const asked = many(60, 'evil').map((name) => world.ask(name));
    expect(world.underWay).toHaveLength(4);
    const good = world.ask('good.shop');
    expect(world.underWay).toContain('good.shop');
    await pass(100);
    await expect(good).resolves.toBe('addresses');
    await pass(TIMEOUT_MS);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([TOO_SLOW, NO_TURN]));
  });

  it('end when no caller waits for them any more, those under way as well', async () => {
    const stop = new AbortController();
    for (const name of many(60, 'evil')) void world.ask(name, stop.signal);
    stop.abort();
    await pass(0);
    expect(world.underWay).toEqual([]);
    expect(world.begun).toHaveLength(4);
  });

  it('leave half of the slots to the other names of their share, once they are known to be silent', async () => {
    for (let round = 0; round < 30; round++) {
      for (const name of many(60, 'evil')) void world.ask(name);
      await pass(TIMEOUT_MS + 5_000);
    }
    for (const name of many(60, 'evil')) void world.ask(name);
    expect(world.underWay).toHaveLength(2);
    void world.ask('good.evil');
    expect(world.underWay).toContain('good.evil');
  });
});

it('waiting names do not make a turn more expensive, however many they are and however they ended before', async () => {
  let looks = 0;
  const bounds = {
    inAll: 6,
    get perShare(): number {
      looks++;
      return 4;
    },
  };
  const silent = (_: string, signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('silent'))));
  const lookUps = new LookUps(silent, { timeoutMs: TIMEOUT_MS, bounds });
  for (let round = 0; round < 20; round++) {
    for (const name of many(500, 'evil')) lookUps.addressesOf(name, { share: 'evil' }).catch(() => undefined);
    await pass(TIMEOUT_MS + 5_000);
  }
  expect(looks).toBeLessThan(20 * 500 * 4);
});

it('shares that each want more than there is take turns', async () => {
  const shares = ['a', 'b', 'c', 'd'];
  for (const share of shares) for (const name of many(3, share)) void world.ask(name);
  await pass(1);
  for (const share of shares) void world.ask(`good.${share}`);
  await pass(TIMEOUT_MS - 1);
  // One name each of a and b is left, while c and d have had none yet.
  expect(world.underWay.map((name) => name.split('.').at(-1)).toSorted()).toEqual(['a', 'b', 'c', 'c', 'd', 'd']);
});

describe('a result', () => {
  it('is shared by all who ask meanwhile, and a failure is remembered for five seconds', async () => {
    const asked = ['bad.a', 'bad.a'].map((name) => world.ask(name));
    await pass(100);
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['the name does not exist']));
    await pass(4_999);
    await expect(world.ask('bad.a')).resolves.toBe('the name does not exist');
    expect(world.begun).toEqual(['bad.a']);
    await pass(1);
    void world.ask('bad.a');
    expect(world.begun).toEqual(['bad.a', 'bad.a']);
  });

  it('with addresses is remembered for its time to live, at most half a minute', async () => {
    void world.ask('good.a');
    await pass(100);
    await pass(29_999);
    await expect(world.ask('good.a')).resolves.toBe('addresses');
    expect(world.begun).toHaveLength(1);
    await pass(1);
    void world.ask('good.a');
    expect(world.begun).toHaveLength(2);
  });

  it('that one share did not wait for does not count for another', async () => {
    const stop = new AbortController();
    const impatient = world.lookUps.addressesOf('good.shop', { share: 'evil', signal: stop.signal });
    impatient.catch(() => undefined);
    await pass(50);
    stop.abort();
    await expect(impatient).rejects.toThrow(TOO_SLOW);
    const patient = world.ask('good.shop');
    await pass(100);
    await expect(patient).resolves.toBe('addresses');
  });

  it('is awaited by later callers, though the first one has gone', async () => {
    const stop = new AbortController();
    void world.lookUps.addressesOf('good.shop', { share: 'evil', signal: stop.signal }).catch(() => undefined);
    const joined = world.ask('good.shop');
    stop.abort();
    await pass(100);
    await expect(joined).resolves.toBe('addresses');
    expect(world.begun).toEqual(['good.shop']);
  });

  it('for a name that waits for its turn in one share comes with the turn of another', async () => {
    for (const name of many(4, 'evil')) void world.ask(name);
    const waits = world.lookUps.addressesOf('good.shop', { share: 'evil' });
    expect(world.begun).toHaveLength(4);
    await Promise.all([world.ask('good.shop'), pass(100)]);
    await expect(waits).resolves.toEqual(GOOD);
  });
});

type Step =
  | { readonly kind: 'ask'; readonly name: string; readonly givesUp: boolean }
  | { readonly kind: 'give-up' }
  | { readonly kind: 'pass'; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), name: nameOf(), givesUp: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('give-up' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(6_000) }) },
  ),
  { minLength: 1, maxLength: 60 },
);

function nameOf(): fc.Arbitrary<string> {
  const parts = fc.tuple(fc.constantFrom('silent', 'good', 'bad'), fc.nat(5), fc.constantFrom('a', 'b', 'c'));
  return parts.map(([kind, number, share]) => `${kind}${number}.${share}`);
}

const ofShare = (names: readonly string[], share: string): string[] =>
  names.filter((name) => name.endsWith(`.${share}`));

it('whatever is asked and given up: bounds hold, no free slot waits for another share, and every caller gets a result in time', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken: readonly Step[]) => {
      world = new Surroundings();
      let stop = new AbortController();
      const failed = new Set<string>();
      const late: string[] = [];
      const heldUp: string[] = [];
      let open = 0;
      for (const step of taken) {
        if (step.kind === 'pass') await pass(step.ms);
        if (step.kind === 'give-up') {
          stop.abort();
          stop = new AbortController();
          await pass(0);
        }
        if (step.kind === 'ask') {
          const { name } = step;
          const share = name.split('.').at(-1)!;
          const room = ofShare(world.underWay, share).length < 4 && world.underWay.length < 6;
          const since = performance.now();
          let settled = false;
          open++;
          void world.ask(name, step.givesUp ? stop.signal : undefined).then((answer) => {
            settled = true;
            open--;
            if (answer !== 'addresses') failed.add(name);
            if (performance.now() - since > TIMEOUT_MS) late.push(name);
          });
          await pass(0);
          // The result came from memory, or the look-up is under way.
          if (room && !failed.has(name) && !settled && !world.underWay.includes(name)) heldUp.push(name);
        }
        expect(world.underWay.length).toBeLessThanOrEqual(6);
        expect(new Set(world.underWay).size).toBe(world.underWay.length);
        for (const share of ['a', 'b', 'c']) expect(ofShare(world.underWay, share).length).toBeLessThanOrEqual(4);
      }
      await pass(TIMEOUT_MS);
      expect([open, late, heldUp]).toEqual([0, [], []]);
      // One that began late continues to its own end.
      await pass(TIMEOUT_MS);
      expect(world.underWay).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
