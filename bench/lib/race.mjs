import { median } from './http-load.mjs';

const ROUNDS = 5;

const onlyCreated = ({ statuses }) => {
  const others = Object.keys(statuses).filter((status) => status !== '201');
  if (others.length > 0) throw new Error(`publishes were answered ${JSON.stringify(statuses)}`);
};

export const medianOf = (rounds, name) => median(rounds.map((round) => round[name]));

/** Rounds of each of `contenders` ({ port, pid, request }), alternately, so that other load on the machine affects all of them alike. */
export async function race(load, contenders, { connections, seconds, rounds: count = ROUNDS }) {
  const rounds = contenders.map(() => []);
  for (let round = 0; round < count; round++) {
    for (const [i, { port, pid, request }] of contenders.entries()) {
      const durationMs = seconds * 1_000;
      const options = { port, watchedPid: pid, connections, durationMs, warmUpMs: round === 0 ? 2_000 : 500, request };
      const result = await load.ask('repeat', options, { timeoutMs: durationMs + 60_000 });
      onlyCreated(result);
      rounds[i].push(result);
    }
  }
  return rounds;
}
