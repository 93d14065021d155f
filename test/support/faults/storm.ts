import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../../../src/kernel/domain-error.js';
import type { AppendRequest, LogRef, NewEvent, StoredEvent } from '../../../src/platform/event-log/index.js';
import type { History, ObservedEvent } from '../checks/history-checker.js';
import { newEvent, readAll, request, type Instance } from '../server/log.js';

export interface StormOptions {
  readonly instances: readonly Instance[];
  readonly logs: readonly LogRef[];
  readonly history: History;
  readonly seed: number;
  readonly writersPerInstance: number;
  readonly publishesPerWriter: number;
  /** Called after each response: the place to inject faults. */
  readonly onAnswer?: (answers: number) => void;
}

/** What happened, so that a test can see that the storm was one. */
export interface StormReport {
  acknowledged: number;
  refused: number;
  unknown: number;
  duplicates: number;
}

/** Small, fast, seeded (mulberry32): a failing storm can be repeated. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const END = 'end-of-storm';

/**
 * Writers on all instances append to all logs at once: batches, streams with and without an expected version, repetitions of earlier
 * publishes on any instance. Readers on all instances follow every log, by its tail and by polling, to the end. The history records
 * all of it.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const { instances, logs, history } = options;
  const report: StormReport = { acknowledged: 0, refused: 0, unknown: 0, duplicates: 0 };
  const readers = instances.flatMap((instance, i) =>
    logs.flatMap((log) => [
      followTail(instance, log, `tail ${i}`, history),
      pollLog(instance, log, `poller ${i}`, history),
    ]),
  );
  await new Writers(options, report).run();
  for (const log of logs) await publish(instances[0]!, request(log, [newEvent({ id: END })]), history, report);
  await Promise.all(readers);
  for (const log of logs) history.ended(log.topicUid, (await readAll(instances[0]!.reader, log)).map(toSeen));
  return report;
}

const toSeen = (event: StoredEvent): ObservedEvent => ({
  ...event,
  bytes: Buffer.byteLength(event.data) + Buffer.byteLength(event.metadata ?? ''),
});

async function publish(instance: Instance, asked: AppendRequest, history: History, report: StormReport): Promise<void> {
  const record = history.publishing(
    asked.topicUid,
    asked.events.map(({ id }) => id),
  );
  try {
    const { events } = await instance.appender.append(asked);
    record.acknowledged(events);
    report.acknowledged++;
    report.duplicates += events.filter(({ duplicate }) => duplicate).length;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const open = error.code === 'store-unavailable';
    if (open) record.unknown();
    else record.refused();
    report[open ? 'unknown' : 'refused']++;
  }
}

class Writers {
  private readonly random: (below: number) => number;
  private readonly published: AppendRequest[] = [];
  private answers = 0;
  private made = 0;

  constructor(
    private readonly options: StormOptions,
    private readonly report: StormReport,
  ) {
    this.random = seededRandom(options.seed);
  }

  async run(): Promise<void> {
    const { instances, writersPerInstance } = this.options;
    await Promise.all(
      instances.flatMap((instance) => Array.from({ length: writersPerInstance }, () => this.write(instance))),
    );
  }

  private async write(instance: Instance): Promise<void> {
    const { publishesPerWriter, history, onAnswer } = this.options;
    for (let i = 0; i < publishesPerWriter; i++) {
      const again = this.published.length > 0 && this.random(8) === 0;
      const chosen = again ? this.published[this.random(this.published.length)]! : this.compose();
      if (chosen.events.every(({ idGiven }) => idGiven)) this.published.push(chosen);
      await publish(instance, chosen, history, this.report);
      onAnswer?.(++this.answers);
    }
  }

  private compose(): AppendRequest {
    const log = this.options.logs[this.random(this.options.logs.length)]!;
    const stream = this.random(2) ? `stream-${this.random(4)}` : null;
    const given = this.random(2) === 1;
    const events = Array.from({ length: 1 + this.random(6) }, (): NewEvent => {
      const id = given ? { id: `e${++this.made}` } : {};
      return newEvent({ ...id, stream, key: `key-${this.random(5)}`, data: `{"made":${this.made}}` });
    });
    const guess = stream !== null && this.random(3) === 0;
    return request(log, events, { expectedStreamVersion: guess ? this.random(20) : 'any' });
  }
}

/** Reads as a consumer does: from memory, then pages, then a wait. */
async function followTail(instance: Instance, log: LogRef, name: string, history: History): Promise<void> {
  const see = history.reader(name, log.topicUid);
  const never = new AbortController().signal;
  const tail = await instance.tails.follow(log);
  for (let after = 0; ;) {
    const page = await tail.read(after).catch(restAfter);
    for (const event of page) see(toSeen(event));
    if (page.some(({ id }) => id === END)) break;
    after = page.at(-1)?.position ?? after;
    if (page.length === 0) await tail.waitBeyond(after, never);
  }
  instance.tails.unfollow(tail);
}

/** The simplest possible reader: `position > cursor`, again and again. */
async function pollLog(instance: Instance, log: LogRef, name: string, history: History): Promise<void> {
  const see = history.reader(name, log.topicUid);
  for (let after = 0; ;) {
    const page = await instance.reader.follow(log, after, 50).catch(restAfter);
    for (const event of page) see(toSeen(event));
    if (page.some(({ id }) => id === END)) return;
    after = page.at(-1)?.position ?? after;
    if (page.length === 0) await pause(2);
  }
}

/** While the store is away a reader keeps its place and asks again. */
async function restAfter(error: unknown): Promise<StoredEvent[]> {
  if (!(error instanceof DomainError) || error.code !== 'store-unavailable') throw error;
  await pause(20);
  return [];
}
