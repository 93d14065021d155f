import type { ConsumerSecrets, ConsumerView } from '../../consumers/index.js';
import type { LaneState } from '../domain/lane.js';

export interface LaneKey {
  readonly tenantId: string;
  readonly consumerUid: string;
  readonly topicUid: string;
}

export const laneName = ({ consumerUid, topicUid }: LaneKey): string => `${consumerUid} ${topicUid}`;

/** A lane as its owner holds it. The next claim gets a higher epoch; checkpoints with an older one are refused. */
export interface ClaimedLane extends LaneKey {
  readonly epoch: number;
  readonly state: LaneState;
}

export interface StoredLane extends LaneKey {
  readonly state: LaneState;
}

export interface WorkerBeat {
  readonly workerId: string;
  readonly beat: number;
}

export abstract class LaneStore {
  /** Claims every lane that no worker in `live` owns. */
  abstract claim(workerId: string, live: readonly string[]): Promise<ClaimedLane[]>;
  /** Stores the states of lanes in one statement; returns those that were not stored: their epoch is stale, or they are gone. */
  abstract checkpoint(lanes: readonly ClaimedLane[]): Promise<LaneKey[]>;
  abstract ofConsumer(tenantId: string, consumerUid: string): Promise<StoredLane[]>;
  /** Shows that the worker is alive; returns all known workers. */
  abstract beat(workerId: string): Promise<WorkerBeat[]>;
  /** Gives up all lanes of a worker and the worker itself. */
  abstract leave(workerId: string): Promise<void>;
  abstract forgetWorkers(workerIds: readonly string[]): Promise<void>;
}

/** The consumer that receives deliveries, and its secrets. */
export interface Recipient {
  readonly consumer: ConsumerView;
  readonly secrets: ConsumerSecrets;
}

/** What is needed to run a lane. */
export interface LaneAssignment {
  readonly claimed: ClaimedLane;
  readonly topicId: string;
  readonly recipient: Recipient;
}

/** A lane as reports show it. */
export interface LaneView {
  readonly key: LaneKey;
  readonly topicId: string;
  readonly consumer: ConsumerView;
  /** If it runs in another thread: the state of some milliseconds ago. */
  readonly state: LaneState;
}

/** A lane that its owner may start and stop. */
export interface RunningLane extends LaneView {
  readonly snapshot: ClaimedLane;
  start(): void;
  /** An attempt under way has `graceMs` to finish; then it is cut off and does not count. Afterwards `state` is final. */
  stop(graceMs: number): Promise<void>;
}

export interface LaneFigures {
  readonly inFlight: number;
  /** Events between the cursor and the end of the log; 0 before the lane has seen the log. */
  readonly lag: number;
}

/** Where lanes run: in this thread, or in others. The owner stops all lanes before it closes the runner. */
export abstract class LaneRunner {
  /** Called when lanes have stopped by themselves because the lease ran out: they must be claimed again. */
  onLapse: () => void = () => undefined;

  /** `changed`: the state must be stored with the next checkpoint. Throws if the recipient is invalid. */
  abstract create(order: LaneAssignment, changed: (lane: RunningLane) => void): RunningLane;
  /** After this many milliseconds nothing more may be sent, since others may have the lanes, unless it is called again. */
  abstract renewLease(ms: number): void;
  /** Of these lanes, in their order; zeros for those that it does not run. */
  abstract figures(lanes: readonly RunningLane[]): Promise<readonly LaneFigures[]>;
  abstract close(): Promise<void>;
}
