/** The entry point of a thread of `LaneThreads`. It loads the reader of the log and the sender, and no framework. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { SystemClock, WallClock } from '../../../kernel/clock.js';
import { Egress } from '../../../platform/egress/index.js';
import { LogReader, Tails } from '../../../platform/event-log/index.js';
import { connectionOf } from '../../../platform/postgres/connection-url.js';
import { Database } from '../../../platform/postgres/database.js';
import { toPortableError, type ThreadMessage, type ThreadSetup, type ThreadCommand } from './lane-messages.js';
import { LaneThread } from './lane-thread.js';

/** Lanes follow their topics in memory; only older events are read from the store. */
const CONNECTIONS = 4;

async function run(port: MessagePort, { database: store, egress: rules, tails: limits }: ThreadSetup): Promise<void> {
  const warn = (what: string) => (error: unknown) =>
    port.postMessage({ kind: 'warning', what, error: toPortableError(error) } satisfies ThreadMessage);
  const database = new Database({
    connection: store.connection ?? (await connectionOf(store.url!, store.caFile)),
    poolSize: Math.min(store.poolSize, CONNECTIONS),
    appendConnections: 1, // never opened
    statementTimeoutMs: store.statementTimeoutMs,
    lockTimeoutMs: store.lockTimeoutMs,
    onError: warn('a connection to the store was lost'),
  });
  const reader = new LogReader(database);
  const onError = warn('the ends of topics could not be read');
  const tails = new Tails(reader, undefined, { ...limits, onError, onFlush: () => undefined });
  const wallClock = new WallClock();
  const egress = new Egress({ ...rules, clock: wallClock });
  const close = async (): Promise<void> => {
    await tails.close();
    await egress.close();
    await database.close();
    port.close();
  };
  const tools = { reader, tails, sender: egress.sender, clock: new SystemClock(), wallClock, random: Math.random };
  const thread = new LaneThread(port, tools, close);
  port.on('message', (message: ThreadCommand) => thread.handle(message));
}

await run(parentPort!, workerData as ThreadSetup);
