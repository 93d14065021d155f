import type { MessagePort } from 'node:worker_threads';
import type { LaneState } from '../domain/lane.js';
import type { ThreadMessage, LaneNews } from './lane-messages.js';

/** News are collected for this long: a message costs 10 µs in this thread and 13 in the other; a delivery costs 120. */
const TOGETHER_MS = 5;

/** Reports to the main thread what happens on lanes, in order. */
export class LaneOutbox {
  private news: (readonly [lane: number, LaneNews])[] = [];
  private moved = new Map<number, LaneState>();
  private taken = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly port: Pick<MessagePort, 'postMessage'>) {}

  report(lane: number, news: LaneNews): void {
    this.news.push([lane, news]);
    this.flushSoon();
  }

  move(lane: number, state: LaneState): void {
    this.moved.set(lane, state);
    this.flushSoon();
  }

  acknowledge(bytes: number): void {
    this.taken += bytes;
    this.flushSoon();
  }

  /** Sends at once, after all earlier news. */
  send(message: ThreadMessage): void {
    this.flush();
    this.port.postMessage(message);
  }

  private flushSoon(): void {
    this.timer ??= setTimeout(() => this.flush(), TOGETHER_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { news, moved, taken } = this;
    if (news.length + moved.size + taken === 0) return;
    this.news = [];
    this.moved = new Map();
    this.taken = 0;
    this.port.postMessage({ kind: 'news', news, moved, taken } satisfies ThreadMessage);
  }
}
