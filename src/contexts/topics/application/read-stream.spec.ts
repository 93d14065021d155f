import type { LogReader, Tails } from '../../../platform/event-log/index.js';
import { EventReader } from './read-events.js';
import { StreamReader } from './read-stream.js';
import { ReadTurns } from './read-turns.js';

const LOG = { tenantId: 'acme', topicUid: 'uid' };
const EVENT = { type: 't', data: 'x'.repeat(1024 * 1024), position: 1, streamVersion: 1 };
const reader = {
  byId: () => Promise.resolve(EVENT),
  stream: () => Promise.resolve([EVENT]),
  streamTypes: () => Promise.resolve([{ version: 1, type: 't' }]),
} as unknown as LogReader;

/** Every way to get events, or facts about them, costs its tenant time; a way around that slows all others. */
it.each<[string, (turns: ReadTurns) => Promise<unknown>]>([
  ['an event by its id', (turns) => new EventReader(reader, {} as Tails, turns).one(LOG, 'evt_1', undefined)],
  [
    'the events of a stream',
    (turns) => new StreamReader(reader, turns).slice(LOG, 's', { after: 0, version: 1, limit: 1 }, undefined, 100),
  ],
  ['the types in a stream', (turns) => new StreamReader(reader, turns).version(LOG, 's', { permits: () => true })],
])('%s takes its turn behind the other reads of the tenant', async (_, read) => {
  const started: (() => void)[] = [];
  const turns = new ReadTurns({ nowMs: () => 0, after: (_ms, work) => (started.push(work), () => undefined) });
  await turns.page('acme', () => Promise.resolve({ events: Array.from({ length: 20 }, () => EVENT) }));
  let done = false;
  const reading = read(turns).then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  started.at(-1)!();
  await reading;
});
