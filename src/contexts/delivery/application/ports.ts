import type { ConsumerSecrets, ConsumerView } from '../../consumers/index.js';
import type { LaneState } from '../domain/lane.js';

export interface LaneKey {
  readonly tenantId: string;
  readonly consumerUid: string;
  readonly topicUid: string;
}

export const laneName = ({ consumerUid, topicUid }: LaneKey): string => `${consumerUid} ${topicUid}`;

/** A lane as its owner holds it. Whoever claims it next gets a higher epoch; what comes with an older one is refused. */
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
  /** Takes every lane that nobody among `live` owns. */
  abstract claim(workerId: string, live: readonly string[]): Promise<ClaimedLane[]>;
  /** Stores the states of lanes, all in one statement; answers those whose epoch is stale (or which are gone), which were left alone. */
  abstract checkpoint(lanes: readonly ClaimedLane[]): Promise<LaneKey[]>;
  abstract ofConsumer(tenantId: string, consumerUid: string): Promise<StoredLane[]>;
  /** Shows that the worker lives; answers all workers that have shown themselves. */
  abstract beat(workerId: string): Promise<WorkerBeat[]>;
  /** Gives up all lanes of a worker and the worker itself. */
  abstract leave(workerId: string): Promise<void>;
  abstract forgetWorkers(workerIds: readonly string[]): Promise<void>;
}

/** Who is delivered to. */
export interface Recipient {
  readonly consumer: ConsumerView;
  readonly secrets: ConsumerSecrets;
}

/** What it takes to run a lane. */
export interface LaneOrder {
  readonly claimed: ClaimedLane;
  readonly topicId: string;
  readonly recipient: Recipient;
}

/** A lane as it is told of. */
export interface LaneView {
  readonly key: LaneKey;
  readonly topicId: string;
  readonly consumer: ConsumerView;
  /** While it runs in another thread: of some milliseconds ago. */
  readonly state: LaneState;
}

/** A lane that its owner may start and stop. */
export interface RunningLane extends LaneView {
  readonly snapshot: ClaimedLane;
  start(): void;
  /** An attempt under way has `graceMs` to finish; after that it is cut off, and does not count. Then `state` is the last one. */
  stop(graceMs: number): Promise<void>;
}

export interface LaneFigures {
  readonly inFlight: number;
  /** Events between the cursor and the end of the log; 0 before the lane has seen the log. */
  readonly lag: number;
}

/** Where lanes run: in this thread, or in others. Its owner stops all lanes before he closes it. */
export abstract class LaneRunner {
  /** Called when lanes had to stop by themselves, because `heldFor` has run out: they are to be claimed anew. */
  onLapse: () => void = () => undefined;

  /** `changed`: the state is to be stored with the next checkpoint. Throws where the recipient cannot be delivered to. */
  abstract create(order: LaneOrder, changed: (lane: RunningLane) => void): RunningLane;
  /** Others may have the lanes after so many milliseconds, unless it is called again: then nothing more may be sent. */
  abstract heldFor(ms: number): void;
  /** Of these lanes, in their order; those that it does not run wait for nothing. */
  abstract figures(lanes: readonly RunningLane[]): Promise<readonly LaneFigures[]>;
  abstract close(): Promise<void>;
}
