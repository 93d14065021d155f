/**
 * npm run bench [-- names… --seconds N]
 *
 * Runs all benchmarks, or those whose names begin with one of the given ones, one after another; prints the figures beside their targets
 * and stores them in bench/results. `--seconds` is how long each measurement lasts; without it each takes what its figure needs.
 */
import { parseArgs } from 'node:util';
import authzStart from './authz-start.mjs';
import cost from './cost.mjs';
import deliver from './deliver.mjs';
import guards from './guards.mjs';
import latency from './latency.mjs';
import { describeMachine } from './lib/machine.mjs';
import { save } from './lib/report.mjs';
import loginOverload from './login-overload.mjs';
import noisyNeighbour from './noisy-neighbour.mjs';
import publish from './publish.mjs';
import recovery from './recovery.mjs';

if (!process.env.BENCH_BUILD) await import('../scripts/build.mjs');
/** These use parts of the build. */
const { default: allocators } = await import('./allocators.mjs');
const { default: authzDecide } = await import('./authz-decide.mjs');
const { default: keys } = await import('./keys.mjs');

const onEvents = [...publish, ...guards, ...deliver, ...latency, ...cost, ...recovery];
const onUsers = [...authzStart, ...loginOverload, ...noisyNeighbour, ...keys, ...authzDecide];
const BENCHES = [...onEvents, ...allocators, ...onUsers];
/** Longer than any bench takes with its own durations; a hanging one fails. */
const BENCH_MS_MAX = 20 * 60_000;

const { values, positionals } = parseArgs({ options: { seconds: { type: 'string' } }, allowPositionals: true });
const given = values.seconds === undefined ? undefined : Number(values.seconds);
const chosen = BENCHES.filter(
  ({ name }) => positionals.length === 0 || positionals.some((start) => name.startsWith(start)),
);
if (chosen.length === 0 || Number.isNaN(given) || given <= 0) {
  console.error(`npm run bench [-- names… --seconds N]\nnames: ${BENCHES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

function bounded(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${BENCH_MS_MAX / 60_000} minutes`)), BENCH_MS_MAX);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const context = { seconds: (own) => given ?? own };
const machine = await describeMachine();
const results = [];
for (const { name, run } of chosen) {
  process.stderr.write(`${name} …\n`);
  try {
    results.push({ bench: name, figures: await bounded(run(context)) });
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    results.push({ bench: name, error: error.message });
  }
}
console.log(save(machine, results));
// Processes that a failed bench has left running are ended at exit.
process.exit(results.some(({ error }) => error) ? 1 : 0);
