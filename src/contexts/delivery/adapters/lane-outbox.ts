import type { MessagePort } from 'node:worker_threads';
import type { LaneState } from '../domain/lane.js';
import type { FromThread, LaneNews } from './lane-messages.js';

/** News wait for so long for others: a message takes 10 µs of this thread and 13 of the other, where a delivery takes 120. */
const TOGETHER_MS = 5;

/** Tells the main thread what happens on lanes, in order. */
export class LaneOutbox {
  private news: (readonly [lane: number, LaneNews])[] = [];
  private moved = new Map<number, LaneState>();
  private taken = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly port: Pick<MessagePort, 'postMessage'>) {}

  tell(lane: number, news: LaneNews): void {
    this.news.push([lane, news]);
    this.soon();
  }

  move(lane: number, state: LaneState): void {
    this.moved.set(lane, state);
    this.soon();
  }

  take(bytes: number): void {
    this.taken += bytes;
    this.soon();
  }

  /** At once, behind all that was told before. */
  send(message: FromThread): void {
    this.flush();
    this.port.postMessage(message);
  }

  private soon(): void {
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
    this.port.postMessage({ kind: 'news', news, moved, taken } satisfies FromThread);
  }
}
