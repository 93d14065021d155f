/** What processes cost: CPU time by thread, and memory. From /proc; without one nothing is reported. */
import { readdirSync, readFileSync } from 'node:fs';

const read = (path) => readFileSync(path, 'utf8').replaceAll('\0', ' ').trim();

/** Nothing for a process that has ended meanwhile. */
function orNothing(look) {
  try {
    return look();
  } catch {
    return [];
  }
}

/** A process and all its descendants. */
function family(pid) {
  const children = orNothing(() =>
    readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      orNothing(() => read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean)),
    ),
  );
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/** Microseconds of CPU so far, by thread: `[id, name, micros]`. Exact, where `stat` counts in 10 ms. */
function threadTimes(pid) {
  return orNothing(() =>
    readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      orNothing(() => {
        const path = `/proc/${pid}/task/${task}`;
        return [[`${pid}/${task}`, nameOf(pid, task), Number(read(`${path}/schedstat`).split(' ', 1)[0]) / 1_000]];
      }),
    ),
  );
}

function nameOf(pid, task) {
  const title = read(`/proc/${pid}/cmdline`);
  if (title.startsWith('postgres:')) return 'PostgreSQL';
  if (task === String(pid)) return title.includes('postgres') ? 'PostgreSQL' : 'main thread';
  const name = read(`/proc/${pid}/task/${task}/comm`);
  return name === 'delivery' ? 'delivery thread' : 'other threads';
}

/** What a server and its PostgreSQL use. Other processes are ignored: the machine is shared with client and receiver. */
export class CostWatch {
  #roots;
  #before = new Map();

  constructor(...roots) {
    this.#roots = roots;
  }

  #pids() {
    return [...new Set(this.#roots.flatMap(family))];
  }

  begin() {
    this.#before = new Map(
      this.#pids()
        .flatMap(threadTimes)
        .map(([id, , micros]) => [id, micros]),
    );
  }

  /** Microseconds of CPU since `begin`, by the name of the threads; threads started in between count from their start. */
  end() {
    const used = {};
    for (const [id, name, micros] of this.#pids().flatMap(threadTimes))
      used[name] = (used[name] ?? 0) + micros - (this.#before.get(id) ?? 0);
    return used;
  }

  /** Memory shared by several processes is counted in parts. */
  memoryMiB() {
    const [server, postgres] = this.#roots;
    const ofPostgres = family(postgres);
    const ofServer = family(server).filter((pid) => !ofPostgres.includes(pid));
    return { server: proportionalMiB(ofServer), postgres: proportionalMiB(ofPostgres) };
  }
}

function proportionalMiB(pids) {
  const kibs = pids.flatMap((pid) =>
    orNothing(() => [Number(/^Pss: +(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))[1])]),
  );
  return kibs.reduce((total, kib) => total + kib, 0) / 1_024;
}
