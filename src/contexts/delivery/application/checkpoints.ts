import { Loop } from '../../../platform/jobs/loop.js';
import { laneName, LaneStore, type RunningLane } from './ports.js';

/** Lanes in one statement: far more than one instance moves in an interval. */
const LANES_MAX = 5_000;

/**
 * Stores the positions of all lanes that moved, together: at once after a rest, about ten times a second under load. Events whose
 * checkpoint a crash loses are delivered again. Every 20 ms, at 300 events/s, would repeat a fifth and cost 5 % more CPU for each event.
 */
export class Checkpoints {
  /** The latest lane of each key: where one lane replaced another, only its state may be stored. */
  private readonly dirty = new Map<string, RunningLane>();
  private readonly loop: Loop;
  private storedAt = -Infinity;
  private flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: LaneStore,
    intervalMs: number,
    private readonly onLost: (lane: RunningLane) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.loop = new Loop({
      name: 'delivery-checkpoints',
      restsFirst: true,
      every: Infinity,
      nudgeDelay: () => (performance.now() - this.storedAt >= intervalMs ? 0 : intervalMs),
      backOff: { minMs: intervalMs, maxMs: intervalMs },
      runOnce: () => {
        this.storedAt = performance.now();
        return this.flushInTurn();
      },
      onError,
    });
  }

  mark(lane: RunningLane): void {
    this.dirty.set(laneName(lane.key), lane);
    this.loop.nudge();
  }

  start(): void {
    this.loop.start();
  }

  /** Stores what is left and ends. */
  async close(): Promise<void> {
    await this.loop.close();
    await this.flush();
  }

  /** Stores everything that has moved so far; what cannot be stored is tried again. */
  flush(): Promise<void> {
    return this.flushInTurn().catch(this.onError);
  }

  private flushInTurn(): Promise<void> {
    const done = this.flushing.then(() => this.flushDirty());
    this.flushing = done.catch(() => undefined);
    return done;
  }

  private async flushDirty(): Promise<void> {
    // Lanes that move meanwhile wait for the next interval; otherwise a busy lane would be written without a pause.
    const moved = [...this.dirty.values()];
    this.dirty.clear();
    for (let from = 0; from < moved.length; from += LANES_MAX) {
      const lanes = moved.slice(from, from + LANES_MAX);
      try {
        const lost = await this.store.checkpoint(lanes.map((lane) => lane.snapshot));
        for (const key of lost) {
          const lane = lanes.find(
            ({ key: own }) => own.consumerUid === key.consumerUid && own.topicUid === key.topicUid,
          );
          if (lane) this.onLost(lane);
        }
      } catch (error) {
        for (const lane of moved.slice(from)) {
          const name = laneName(lane.key);
          if (!this.dirty.has(name)) this.dirty.set(name, lane);
        }
        this.loop.nudge();
        throw error;
      }
    }
  }
}
