import type { ConsumerView } from '../../consumers/index.js';
import type { LaneState } from '../domain/lane.js';
import type { ClaimedLane, LaneKey, LaneAssignment, RunningLane } from '../application/ports.js';

/** The thread that runs it. */
export interface LaneHost {
  start(lane: RemoteLane): void;
  /** The host calls `end` when the lane has stopped. */
  stop(lane: RemoteLane, graceMs: number): void;
}

/** A lane that runs in another thread. Its number is never reused, since another lane may take its place. */
export class RemoteLane implements RunningLane {
  readonly key: LaneKey;
  private current: LaneState;
  private phase: 'new' | 'running' | 'stopped' = 'new';
  private readonly ended = Promise.withResolvers<void>();

  constructor(
    readonly number: number,
    private readonly host: LaneHost,
    readonly order: LaneAssignment,
    private readonly changed: (lane: RunningLane) => void,
  ) {
    const { tenantId, consumerUid, topicUid, state } = order.claimed;
    this.key = { tenantId, consumerUid, topicUid };
    this.current = state;
  }

  get consumer(): ConsumerView {
    return this.order.recipient.consumer;
  }

  get topicId(): string {
    return this.order.topicId;
  }

  get state(): LaneState {
    return this.current;
  }

  get snapshot(): ClaimedLane {
    return { ...this.order.claimed, state: this.current };
  }

  start(): void {
    if (this.phase !== 'new') return;
    this.phase = 'running';
    this.host.start(this);
  }

  async stop(graceMs: number): Promise<void> {
    if (this.phase === 'new') this.phase = 'stopped';
    if (this.phase === 'stopped') return;
    this.host.stop(this, graceMs);
    await this.ended.promise;
  }

  move(state: LaneState): void {
    this.current = state;
    this.changed(this);
  }

  end(state: LaneState): void {
    this.phase = 'stopped';
    this.current = state;
    this.ended.resolve();
  }
}
