import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HTTP_SETTINGS, READ_SETTINGS, type Settings } from '../../../platform/config/index.js';
import {
  eventJson,
  eventJsonLine,
  type LogRef,
  type StoredEvent,
  type TopicNames,
} from '../../../platform/event-log/index.js';
import { NDJSON_TYPE } from '../../../platform/formats/ndjson.js';
import { noteLimit } from '../../../platform/http/rate-limit-headers.js';
import type { Access } from '../../../kernel/access.js';
import type { Reply } from '../../../platform/http/request.js';
import { lines, sendPieces, whenClosed } from '../../../platform/http/streaming.js';
import { Loop } from '../../../platform/jobs/loop.js';
import { OpenStreams } from '../application/open-streams.js';
import { EventReader, type EventQuery } from '../application/read-events.js';
import { lifeOf, resumeMark } from '../domain/place.js';
import { topicError } from '../domain/topic-errors.js';

const KEEP_ALIVE_MS = 15_000;

/**
 * A topic, and what its reader may see: whether the reader may continue, and which types it sees, is decided again before each batch, and
 * in between while it waits.
 */
interface Followed extends TopicNames {
  readonly access: () => Access;
}

type Resumable = Followed & { readonly life: string };

/** A revocation ends open streams within a second. */
const RECHECK_MS = 500;
/** Checked all at once, two thousand streams would delay other requests by some 40 ms. */
const ASKED_TOGETHER = 50;

interface Shown extends Pick<Followed, 'access'> {
  readonly topicUid: string;
  /** While a check whether it may continue is under way. */
  isChecked: boolean;
}

async function endIfRevoked(controller: AbortController, { access }: Shown): Promise<void> {
  if (!(await access().stillAllowed())) controller.abort();
}

interface OpenStream {
  readonly signal: AbortSignal;
  leave(): void;
}

/**
 * Open responses: NDJSON to the end of the topic, Server-Sent Events until one side leaves. A slow reader slows only itself. Each kind has
 * its own places, so that streams that last for days leave room for those that read once.
 */
@Injectable()
export class EventStreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** By the controller that ends it. */
  private readonly open = new Map<AbortController, Shown>();
  private readonly rechecks = new Loop({
    name: 'stream-rechecks',
    restsFirst: true,
    every: () => (this.open.size > 0 ? RECHECK_MS : Infinity),
    nudgeDelay: () => RECHECK_MS,
    runOnce: () => this.endRevoked(),
  });
  private readonly reads: OpenStreams;
  private readonly live: OpenStreams;

  constructor(
    private readonly events: EventReader,
    @Inject(READ_SETTINGS) private readonly read: Settings['read'],
    @Inject(HTTP_SETTINGS) { streamsMax }: Settings['http'],
  ) {
    this.reads = new OpenStreams(streamsMax);
    this.live = new OpenStreams(streamsMax);
  }

  onApplicationBootstrap(): void {
    this.rechecks.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    this.end(null);
    return this.rechecks.close();
  }

  /** Ends the streams of one topic; null: all of them. */
  end(topicUid: string | null): void {
    for (const [controller, shown] of this.open)
      if (topicUid === null || shown.topicUid === topicUid) controller.abort();
  }

  private async endRevoked(): Promise<void> {
    let begun = 0;
    for (const [controller, shown] of this.open) {
      if (shown.isChecked) continue;
      shown.isChecked = true;
      // Not awaited: a check that waits for the store must not delay those of other streams. One that fails is made again.
      void endIfRevoked(controller, shown)
        .catch(() => undefined)
        .finally(() => (shown.isChecked = false));
      if (++begun % ASKED_TOGETHER === 0) await setImmediate();
    }
  }

  async sendAll(reply: Reply, log: LogRef, query: EventQuery, names: Followed, limit?: number): Promise<void> {
    const stream = this.enter(this.reads, reply, log, names);
    const pages = this.events.all(log, await this.events.withCheckedStart(log, query), this.read.filterBudgetMs, limit);
    const line = (event: StoredEvent): string => `${eventJsonLine(event, names)}\n`;
    await sendPieces(reply, { 'content-type': NDJSON_TYPE }, lines(shownPages(pages, names, stream), line));
  }

  /** `id` is the position and the life of the topic, so that `Last-Event-ID` continues right after it, or is refused. */
  async follow(reply: Reply, log: LogRef, query: EventQuery, names: Followed): Promise<void> {
    const stream = this.enter(this.live, reply, log, names);
    // From here on the end of the topic ends the stream; whether it came before is checked now.
    const pages = this.events.follow(log, await this.events.withCheckedStart(log, query), stream.signal);
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
    await sendPieces(reply, headers, messages(pages, { ...names, life: lifeOf(log) }, stream));
  }

  private enter(kind: OpenStreams, reply: Reply, { tenantId, topicUid }: LogRef, { access }: Followed): OpenStream {
    const holder = { tenantId, userId: reply.request.principal!.userId };
    const giveBack = kind.enter(holder);
    noteLimit(reply.request, kind.left(holder));
    reply.request.turn?.end();
    const controller = new AbortController();
    this.open.set(controller, { topicUid, access, isChecked: false });
    if (this.open.size === 1) this.rechecks.nudge();
    const leave = (): void => {
      giveBack();
      this.open.delete(controller);
      controller.abort();
    };
    whenClosed(reply, leave);
    return { signal: controller.signal, leave };
  }
}

/** An end that comes too early must not look like the end of the topic: what fails here breaks the connection. */
async function* shownPages(
  pages: AsyncGenerator<StoredEvent[]>,
  names: Followed,
  { signal, leave }: OpenStream,
): AsyncGenerator<readonly StoredEvent[]> {
  try {
    for await (const page of pages) {
      const shown = signal.aborted ? undefined : await visible(page, names);
      if (!shown) throw topicError('reading-cut-off', 'The events could not all be sent.', { retryAfterSeconds: 1 });
      yield shown;
    }
  } finally {
    leave();
  }
}

async function* messages(
  pages: AsyncGenerator<StoredEvent[]>,
  names: Resumable,
  { signal, leave }: OpenStream,
): AsyncGenerator<string> {
  let wakeUp: NodeJS.Timeout | undefined;
  try {
    yield ': ready\n\n';
    for (let next = pages.next(); !signal.aborted;) {
      const silence = new Promise<undefined>(
        (resolve) => (wakeUp = setTimeout(() => resolve(undefined), KEEP_ALIVE_MS).unref()),
      );
      const page = await Promise.race([next, silence]);
      clearTimeout(wakeUp);
      if (page?.done || signal.aborted) return;
      const shown = page === undefined ? [] : await visible(page.value, names);
      if (!shown) return;
      yield page === undefined ? ': keep-alive\n\n' : shown.map((event) => message(event, names)).join('');
      if (page !== undefined) next = pages.next();
    }
  } finally {
    clearTimeout(wakeUp);
    leave();
    void pages.return(undefined);
  }
}

/** What may be shown of a batch now; undefined: the reader may not continue. */
async function visible(
  page: readonly StoredEvent[],
  { access }: Followed,
): Promise<readonly StoredEvent[] | undefined> {
  if (!(await access().stillAllowed())) return undefined;
  const { types } = access();
  return types ? page.filter(({ type }) => types.permits(type)) : page;
}

/** A line break inside the JSON becomes a `data:` line of its own, which the receiver joins again (HTML standard, 9.2.6). */
function message(event: StoredEvent, names: Resumable): string {
  const data = eventJson(event, names)
    .split(/\r\n|\r|\n/)
    .join('\ndata: ');
  return `id: ${resumeMark(event.position, names.life)}\ndata: ${data}\n\n`;
}
