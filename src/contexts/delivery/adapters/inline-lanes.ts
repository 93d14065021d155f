import { Lane, type LaneTools } from '../application/lane.js';
import { LaneRunner, type LaneFigures, type LaneAssignment, type RunningLane } from '../application/ports.js';
import { WebhookTarget } from '../application/webhook-request.js';

/** Runs lanes in the calling thread: `DELIVERY_THREADS` is 0. */
export class InlineLanes extends LaneRunner {
  constructor(private readonly tools: LaneTools) {
    super();
  }

  override create({ claimed, topicId, recipient }: LaneAssignment, changed: (lane: RunningLane) => void): Lane {
    return new Lane(claimed, topicId, new WebhookTarget(recipient), this.tools, changed);
  }

  /** Nothing to do: the timer of the membership is in this thread. */
  override renewLease(): void {}

  override figures(lanes: readonly Lane[]): Promise<readonly LaneFigures[]> {
    return Promise.resolve(lanes.map(({ inFlight, lag }) => ({ inFlight, lag })));
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}
