import { jest } from '@jest/globals';
import { Registry } from 'prom-client';
import { Metrics } from '../../../platform/telemetry/metrics.js';
import { FairTurns, type Turn } from './fair-turns.js';

const BUSY = 1;
const IDLE = 0;

const turns = (): FairTurns => new FairTurns(new Metrics(new Registry()));

/** Asks for `count` turns; those that are served are in the list, in order. */
function ask(from: FairTurns, tenantId: string, count: number): { readonly served: Turn[] } {
  const served: Turn[] = [];
  for (let i = 0; i < count; i++) {
    const turn = from.take(tenantId);
    if (turn instanceof Promise) void turn.then((begun) => served.push(begun));
    else served.push(turn);
  }
  return { served };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => jest.useRealTimers());

it('a tenant that is alone waits for nothing, however busy the process is', () => {
  const fair = turns();
  ask(fair, 'flood', 50);
  fair.adapt(BUSY);
  expect(ask(fair, 'flood', 1_000).served).toHaveLength(1_000);
});

it('several tenants have 128 turns each while the process has time', () => {
  const fair = turns();
  ask(fair, 'modest', 1);
  ask(fair, 'flood', 50);
  fair.adapt(0.8);
  expect(ask(fair, 'flood', 1_000).served).toHaveLength(78);
});

it('the event loop is watched only while several tenants are at work', async () => {
  jest.useFakeTimers();
  const fair = turns();
  fair.onApplicationBootstrap();
  const alone = ask(fair, 'alone', 1);
  expect(jest.getTimerCount()).toBe(0);
  for (const turn of [...alone.served, ...ask(fair, 'other', 1).served]) turn.end();
  expect(jest.getTimerCount()).toBe(1);
  await jest.advanceTimersByTimeAsync(100);
  expect(jest.getTimerCount()).toBe(1);
  await jest.advanceTimersByTimeAsync(100);
  expect(jest.getTimerCount()).toBe(0);
});

describe('two tenants on a busy process', () => {
  let fair: FairTurns;
  let flood: { readonly served: Turn[] };

  beforeEach(() => {
    fair = turns();
    flood = ask(fair, 'flood', 100);
    for (let i = 0; i < 30; i++) {
      ask(fair, 'modest', 1).served[0]!.end();
      fair.adapt(BUSY);
    }
  });

  it('the one that floods waits, the other is served at once', async () => {
    expect(ask(fair, 'flood', 1).served).toHaveLength(0);
    expect(ask(fair, 'modest', 1).served).toHaveLength(1);
    await settled();
    expect(fair.waiting).toBe(1);
  });

  it('waiting requests are served in the order in which they came, one for each turn that ends', async () => {
    const order: number[] = [];
    for (const i of [0, 1, 2]) void Promise.resolve(fair.take('flood')).then(() => order.push(i));
    // Eight may be served at once.
    for (const turn of flood.served.slice(0, 93)) turn.end();
    await settled();
    expect(order).toEqual([0]);
    for (const turn of flood.served.slice(93, 95)) turn.end();
    await settled();
    expect(order).toEqual([0, 1, 2]);
  });

  it('a turn that is ended twice makes room for one', async () => {
    for (const turn of flood.served.slice(0, 92)) turn.end();
    const { served } = ask(fair, 'flood', 3);
    flood.served[92]!.end();
    flood.served[92]!.end();
    await settled();
    expect(served).toHaveLength(1);
  });

  it('a refused request keeps its turn for a while: asking again at once gains nothing', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const { served } = ask(fair, 'flood', 1);
    for (const turn of flood.served) turn.endRefused();
    await settled();
    expect(served).toHaveLength(0);
    jest.advanceTimersByTime(200);
    await settled();
    expect(served).toHaveLength(1);
    jest.useRealTimers();
  });

  it('no request waits any longer once the other tenant has nothing to do', async () => {
    const { served } = ask(fair, 'flood', 500);
    fair.adapt(BUSY);
    await settled();
    expect(served).toHaveLength(500);
  });

  it('more and more are served while the process has time, up to 128', async () => {
    const { served } = ask(fair, 'flood', 500);
    const steps: number[] = [];
    for (let i = 0; i < 200; i++) {
      ask(fair, 'modest', 1).served[0]!.end();
      fair.adapt(IDLE);
      await settled();
      steps.push(served.length);
    }
    // A hundred are in service already.
    expect(steps.slice(91, 101)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(steps.at(-1)).toBe(28);
  });

  it('all waiting requests are served when the server stops', async () => {
    const { served } = ask(fair, 'flood', 500);
    fair.onApplicationShutdown();
    await settled();
    expect(served).toHaveLength(500);
  });
});
