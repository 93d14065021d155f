/**
 * One event per request. With 32 connections, alternately with the same requests to a bare Node server and to an empty route of Nest on
 * Fastify, so that other load on the machine affects all three alike; the ratios mean more than the rates.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { startProcess } from './lib/children.mjs';
import { EventStore, freePort } from './lib/event-store.mjs';
import { medianOf, race } from './lib/race.mjs';
import { batchOf, EVENT, makeTopic, publishRequest, startLoad } from './lib/workload.mjs';

async function startYardstick(module) {
  const port = await freePort();
  const child = startProcess(['--max-semi-space-size=16', `${import.meta.dirname}/lib/${module}`], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let tries = 0; tries < 500; tries++) {
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return { port, pid: child.pid, stop: () => child.kill('SIGKILL') };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${module} does not listen`);
}

async function run32({ seconds }) {
  const store = await EventStore.start();
  const load = startLoad();
  const bare = await startYardstick('bare-http.mjs');
  const nest = await startYardstick('empty-nest.mjs');
  const path = await makeTopic(store, 'orders');
  const request = publishRequest(store, path, EVENT);
  const contenders = [store, bare, nest].map(({ port, pid }) => ({ port, pid, request }));
  const rounds = await race(load, contenders, { connections: 32, seconds: seconds(5) });
  const [ours, toBare, toNest] = rounds.map((own) => medianOf(own, 'ratePerSecond'));
  bare.stop();
  nest.stop();
  await load.stop();
  await store.stop();
  const [own, , nestRounds] = rounds;
  return [
    { name: 'publishes', value: ours, unit: '/s', atLeast: 15_000 },
    { name: 'p50', value: medianOf(own, 'p50'), unit: 'ms' },
    { name: 'p99', value: medianOf(own, 'p99'), unit: 'ms', atMost: 15 },
    { name: 'share of an empty Nest + Fastify route', value: ours / toNest, unit: '', atLeast: 0.5 },
    { name: 'share of bare Node http', value: ours / toBare, unit: '', goal: 0.3 },
    { name: 'empty Nest + Fastify route', value: toNest, unit: '/s' },
    { name: 'bare Node http', value: toBare, unit: '/s' },
    { name: 'CPU of the server a publish', value: medianOf(own, 'cpuMicrosPerRequest'), unit: 'µs' },
    { name: 'CPU of the empty route a request', value: medianOf(nestRounds, 'cpuMicrosPerRequest'), unit: 'µs' },
  ];
}

async function runOne({ seconds }) {
  const store = await EventStore.start();
  const load = startLoad();
  const request = publishRequest(store, await makeTopic(store, 'orders'), EVENT);
  const { port, pid } = store;
  const [rounds] = await race(load, [{ port, pid, request }], { connections: 1, seconds: seconds(3) });
  await load.stop();
  await store.stop();
  return [
    { name: 'p50', value: medianOf(rounds, 'p50'), unit: 'ms', atMost: 1 },
    { name: 'p99', value: medianOf(rounds, 'p99'), unit: 'ms' },
    { name: 'publishes', value: medianOf(rounds, 'ratePerSecond'), unit: '/s' },
  ];
}

async function runBatches({ seconds }) {
  const store = await EventStore.start();
  const load = startLoad();
  const batch = batchOf(100);
  const request = publishRequest(store, await makeTopic(store, 'orders'), batch);
  const { port, pid } = store;
  const [rounds] = await race(load, [{ port, pid, request }], { connections: 8, seconds: seconds(5) });
  await load.stop();
  await store.stop();
  return [
    { name: 'events', value: medianOf(rounds, 'ratePerSecond') * 100, unit: '/s', atLeast: 55_000, goal: 80_000 },
    { name: 'p50 of a batch', value: medianOf(rounds, 'p50'), unit: 'ms' },
    { name: 'p99 of a batch', value: medianOf(rounds, 'p99'), unit: 'ms' },
    { name: 'CPU of the server an event', value: medianOf(rounds, 'cpuMicrosPerRequest') / 100, unit: 'µs' },
  ];
}

export default [
  { name: 'publish-single-32', run: run32 },
  { name: 'publish-single-1', run: runOne },
  { name: 'publish-batch-100', run: runBatches },
];
