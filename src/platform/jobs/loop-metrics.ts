import { makeCounterProvider, makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import type { Counter, Gauge } from 'prom-client';
import { Loop } from './loop.js';

/** Read at each scrape from the loops of this process, except those in delivery threads. */
export const LOOP_METRICS = [
  makeGaugeProvider({
    name: 'event_store_loop_last_success_age_seconds',
    help: 'Time since a background loop last succeeded; 0 while it has nothing to do.',
    labelNames: ['loop'],
    collect(this: Gauge<'loop'>) {
      this.reset();
      for (const [loop, all] of Map.groupBy(Loop.running, ({ name }) => name))
        this.set({ loop }, Math.max(...all.map(({ ageMs }) => ageMs)) / 1_000);
    },
  }),
  makeCounterProvider({
    name: 'event_store_loop_failures_total',
    help: 'Failed runs of a background loop; they are tried again.',
    labelNames: ['loop'],
    collect(this: Counter<'loop'>) {
      this.reset();
      for (const [loop, failures] of Loop.failures) this.inc({ loop }, failures);
    },
  }),
];
