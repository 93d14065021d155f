import type { StoredEvent, TailListener } from '../../../platform/event-log/index.js';
import { LaneRunner, type LaneFigures, type LaneAssignment, type RunningLane } from '../application/ports.js';
import { WebhookTarget } from '../application/webhook-request.js';
import { sharedNow, type ThreadSetup } from './lane-messages.js';
import { RemoteLane } from './remote-lane.js';
import { ThreadHandle, type ThreadReport } from './thread-handle.js';

const NOTHING: LaneFigures = { inFlight: 0, lag: 0 };

/**
 * Runs lanes in separate threads, so that lanes and requests do not wait for each other: each step from one event to the next needs a turn
 * of the event loop, and a loop that also serves requests has long turns.
 */
export class LaneThreads extends LaneRunner implements TailListener {
  private readonly threads: ThreadHandle[] = [];
  private last = 0;
  private heldUntilMs = 0;

  constructor(
    private readonly count: number,
    private readonly setup: ThreadSetup,
    private readonly report: ThreadReport,
  ) {
    super();
  }

  /** Lanes that are created together belong to one consumer; they share the thread with the fewest lanes. */
  override create(order: LaneAssignment, changed: (lane: RunningLane) => void): RemoteLane {
    void new WebhookTarget(order.recipient); // an invalid recipient throws here, where callers try again
    return new RemoteLane(++this.last, this.leastLoaded(), order, changed);
  }

  override renewLease(ms: number): void {
    this.heldUntilMs = sharedNow() + ms;
    for (const thread of this.threads) thread.renewLease(this.heldUntilMs);
  }

  override async figures(lanes: readonly RemoteLane[]): Promise<readonly LaneFigures[]> {
    const all = await Promise.all(this.threads.map((thread) => thread.figures()));
    const figures = new Map(all.flatMap((part) => [...part]));
    return lanes.map(({ number }) => figures.get(number) ?? NOTHING);
  }

  override async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }

  appended(topicUid: string, events: readonly StoredEvent[]): void {
    for (const thread of this.threads) thread.appended(topicUid, events);
  }

  advanced(topicUid: string, position: number): void {
    for (const thread of this.threads) thread.advanced(topicUid, position);
  }

  onGap(): void {
    for (const thread of this.threads) thread.onGap();
  }

  /** Threads start when a lane needs them: a process without consumers has none, and is ready 0.1 s sooner. */
  private leastLoaded(): ThreadHandle {
    const idle = this.threads.find(({ load }) => load === 0);
    if (idle) return idle;
    if (this.threads.length < this.count) return this.begin();
    return this.threads.reduce((least, other) => (other.load < least.load ? other : least));
  }

  private begin(): ThreadHandle {
    const thread = new ThreadHandle(this.setup, this.report, () => this.onLapse());
    thread.renewLease(this.heldUntilMs);
    this.threads.push(thread);
    return thread;
  }
}
