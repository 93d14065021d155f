/** One tenant publishes steadily; beside it another floods the server, first without a limit, then with one. */
import { EventStore } from './lib/event-store.mjs';
import { EVENT, makeTopic, publishRequest, startLoad } from './lib/workload.mjs';

const QUIET_A_SECOND = 500;
const QUIET_CONNECTIONS = 32;
const LOUD_CONNECTIONS = 64;
const LOUD_LIMIT = 500;
const WARM_UP_MS = 3_000;
const LEAD_MS = 1_000;

class Stage {
  static async set() {
    const stage = new Stage();
    stage.store = await EventStore.start();
    [stage.quietLoad, stage.loudLoad] = [startLoad(), startLoad()];
    stage.quiet = publishRequest(stage.store, await makeTopic(stage.store, 'orders', 'quiet'), EVENT);
    stage.loud = publishRequest(stage.store, await makeTopic(stage.store, 'orders', 'loud'), EVENT);
    return stage;
  }

  async publishQuietly(durationMs) {
    const target = { port: this.store.port, connections: QUIET_CONNECTIONS, requests: [this.quiet] };
    const rate = { durationMs, ratePerSecond: QUIET_A_SECOND };
    const result = await this.quietLoad.ask('steady', { ...target, ...rate }, { timeoutMs: durationMs + 60_000 });
    if (Object.keys(result.statuses).join() !== '201')
      throw new Error(`the quiet tenant was answered ${JSON.stringify(result.statuses)}`);
    return result;
  }

  /** The flood begins before and ends after what is measured. */
  async publishBesideFlood(durationMs) {
    const floodMs = durationMs + LEAD_MS;
    const target = { port: this.store.port, connections: LOUD_CONNECTIONS, request: this.loud };
    const options = { ...target, warmUpMs: LEAD_MS, durationMs: floodMs };
    const flood = this.loudLoad.ask('repeat', options, { timeoutMs: floodMs + 60_000 });
    await new Promise((resolve) => setTimeout(resolve, LEAD_MS));
    const [loud, quiet] = await Promise.all([flood, this.publishQuietly(durationMs)]);
    const perSecond = (status) => ((loud.statuses[status] ?? 0) * 1_000) / floodMs;
    return { ...quiet, stored: perSecond(201), refused: perSecond(429) };
  }

  limit(eventsPerSecond) {
    return this.store.call('PATCH', '/tenants/loud', { limits: { eventsPerSecond } });
  }

  strike() {
    return Promise.all([this.quietLoad.stop(), this.loudLoad.stop(), this.store.stop()]);
  }
}

async function run({ seconds }) {
  const stage = await Stage.set();
  const durationMs = seconds(15) * 1_000;
  await stage.publishQuietly(WARM_UP_MS);
  const alone = await stage.publishQuietly(durationMs);
  const beside = await stage.publishBesideFlood(durationMs);
  await stage.limit(LOUD_LIMIT);
  const limited = await stage.publishBesideFlood(durationMs);
  await stage.strike();
  return [
    { name: 'alone: p50', value: alone.p50, unit: 'ms' },
    { name: 'alone: p99', value: alone.p99, unit: 'ms' },
    { name: 'beside a flood without limit: p50', value: beside.p50, unit: 'ms' },
    { name: 'beside a flood without limit: p99', value: beside.p99, unit: 'ms' },
    { name: 'beside a flood without limit: p99 against alone', value: beside.p99 / alone.p99, unit: '' },
    { name: 'the flood: stored', value: beside.stored, unit: '/s' },
    { name: `beside a flood with a limit of ${LOUD_LIMIT}/s: p50`, value: limited.p50, unit: 'ms' },
    { name: `beside a flood with a limit of ${LOUD_LIMIT}/s: p99`, value: limited.p99, unit: 'ms' },
    { name: 'beside a flood with a limit: p99 against alone', value: limited.p99 / alone.p99, unit: '', goal: 2 },
    { name: 'the limited flood: stored', value: limited.stored, unit: '/s' },
    { name: 'the limited flood: refused', value: limited.refused, unit: '/s' },
  ];
}

export default [{ name: 'noisy-neighbour', run }];
