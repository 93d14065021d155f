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
