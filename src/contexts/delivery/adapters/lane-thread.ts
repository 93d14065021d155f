import type { MessagePort } from 'node:worker_threads';
import type { SendOutcome, SendRequest } from '../../../platform/egress/index.js';
import { Lane, type LaneReport, type LaneTools } from '../application/lane.js';
import type { LaneFigures, LaneAssignment } from '../application/ports.js';
import { WebhookTarget } from '../application/webhook-request.js';
import { toPortableError, sharedNow, type ThreadCommand } from './lane-messages.js';
import { LaneOutbox } from './lane-outbox.js';

/** How long lanes may send. A main thread that is blocked while other workers take them over could not report it. */
class Lease {
  private untilMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private settling: Promise<void> | undefined;

  constructor(private readonly onLapse: () => void) {}

  get expired(): boolean {
    return sharedNow() >= this.untilMs;
  }

  renew(untilMs: number): void {
    this.untilMs = untilMs;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.settle(), Math.max(0, untilMs - sharedNow()));
  }

  /** Resolves when the lease is renewed or has lapsed. */
  settle(): Promise<void> {
    this.settling ??= this.readFirst().finally(() => (this.settling = undefined));
    return this.settling;
  }

  end(): void {
    clearTimeout(this.timer);
  }

  /** If this thread was blocked, the renewal may wait among its messages: timers run before them. */
  private async readFirst(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.expired) this.onLapse();
    else this.renew(this.untilMs);
  }
}

/** Runs the lanes that it is given, and learns of new events from the main thread. */
export class LaneThread {
  private readonly outbox: LaneOutbox;
  private readonly lanes = new Map<number, Lane>();
  private readonly stopping = new Set<number>();
  private readonly pausing = new Map<number, (done: boolean) => void>();
  private readonly lease = new Lease(() => this.lapse());
  private readonly sender = { send: (request: SendRequest) => this.send(request) };

  constructor(
    port: Pick<MessagePort, 'postMessage'>,
    private readonly tools: Omit<LaneTools, 'report'>,
    private readonly close: () => Promise<void>,
  ) {
    this.outbox = new LaneOutbox(port);
  }

  handle(message: ThreadCommand): void {
    switch (message.kind) {
      case 'appended':
        this.outbox.acknowledge(message.bytes);
        return this.tools.tails.appended(message.topicUid, message.events);
      case 'advanced':
        return this.tools.tails.advanced(message.topicUid, message.position);
      case 'missed':
        return this.tools.tails.lookSoon();
      case 'start':
        return this.start(message.lane, message.order);
      case 'stop':
        return void this.stop(message.lane, message.graceMs);
      case 'held':
        this.lease.renew(message.untilMs);
        return this.outbox.send({ kind: 'here' });
      case 'paused':
        return this.pausing.get(message.lane)?.(message.done);
      case 'figures':
        return this.outbox.send({ kind: 'figures', figures: this.figures() });
      case 'close':
        this.lease.end();
        return void this.close();
    }
  }

  private start(number: number, { claimed, topicId, recipient }: LaneAssignment): void {
    const tools = { ...this.tools, sender: this.sender, report: this.reportOf(number) };
    const changed = ({ state }: Pick<Lane, 'state'>): void => this.outbox.move(number, state);
    const lane = new Lane(claimed, topicId, new WebhookTarget(recipient), tools, changed);
    this.lanes.set(number, lane);
    lane.start();
  }

  private async stop(number: number, graceMs: number): Promise<void> {
    const lane = this.lanes.get(number);
    if (!lane) return;
    this.stopping.add(number);
    this.pausing.get(number)?.(false);
    await lane.stop(graceMs);
    // A lane that is stopped twice ends once.
    if (!this.lanes.delete(number)) return;
    this.stopping.delete(number);
    this.outbox.send({ kind: 'stopped', lane: number, state: lane.state });
  }

  private send(request: SendRequest): Promise<SendOutcome> {
    if (!this.lease.expired) return this.tools.sender.send(request);
    return this.lease.settle().then(() => (this.lease.expired ? { kind: 'aborted' } : this.tools.sender.send(request)));
  }

  /** The lanes end here; the main thread starts them again, if they are still ours. */
  private lapse(): void {
    for (const lane of this.lanes.values()) void lane.stop(0);
    this.outbox.send({ kind: 'lapsed' });
  }

  private figures(): Map<number, LaneFigures> {
    return new Map(Array.from(this.lanes, ([number, { inFlight, lag }]) => [number, { inFlight, lag }]));
  }

  private reportOf(number: number): LaneReport {
    const { outbox } = this;
    return {
      attempted: (_, { id, position }, outcome, attempt) =>
        outbox.report(number, { kind: 'attempted', event: { id, position }, outcome, attempt }),
      gapFound: ({ state }) => outbox.report(number, { kind: 'gap-found', state }),
      blocked: ({ state }) => outbox.report(number, { kind: 'blocked', state }),
      storeFailed: (_, error) => outbox.report(number, { kind: 'store-failed', error: toPortableError(error) }),
      requestFailed: (_, error) => outbox.report(number, { kind: 'request-failed', error: toPortableError(error) }),
      endpointGone: () => this.gone(number),
    };
  }

  /** A lane that is stopping does not wait for the pause. */
  private async gone(number: number): Promise<boolean> {
    this.outbox.report(number, { kind: 'gone' });
    if (this.stopping.has(number)) return false;
    const answer = Promise.withResolvers<boolean>();
    this.pausing.set(number, answer.resolve);
    return answer.promise.finally(() => this.pausing.delete(number));
  }
}
