import { boundedMap } from '../limits/bounded-map.js';
import { reasonOf } from './failure-reasons.js';
import { LookUpSlots, type SlotBounds } from './look-up-slots.js';
import type { ResolvedAddress, Resolver } from './name-resolver.js';
import { ConnectFailure } from './send-outcome.js';

/** The caller of a look-up. */
export interface LookUpCaller {
  /** Whose share of the look-ups it counts against. */
  readonly share: string;
  /** Fires when the caller no longer waits. */
  readonly signal?: AbortSignal;
}

export interface LookUpOptions {
  /** For one look-up, and for each caller, including the time in the queue. */
  readonly timeoutMs?: number;
  readonly bounds?: SlotBounds;
}

type Answer = readonly ResolvedAddress[] | ConnectFailure;

interface LookUp {
  readonly hostname: string;
  readonly doubtful: boolean;
  readonly askers: Set<Asker>;
  /** Set once it is under way. */
  begun?: AbortController;
}

/** Of one share, in two lines: where there is no slot for the first of a line, there is none for those behind it. */
interface Queue {
  readonly doubtful: Set<LookUp>;
  readonly others: Set<LookUp>;
}

interface Asker {
  readonly share: string;
  readonly settle: (answer: Answer) => void;
}

const TIMEOUT_MS = 3_000;
/** A process has thousands of sockets, and a resolver handles thousands of queries a second; a look-up takes two. */
const BOUNDS: SlotBounds = { perShare: 4, inAll: 128 };
const FAILED_MS = 5_000;
const ADDRESSES_MS_MAX = 30_000;
const REMEMBERED_MAX = 10_000;

const GIVEN_UP = Symbol('given up');
const TOO_SLOW = 'the name took too long to resolve';
const NO_TURN = 'too many other names are being looked up';

/**
 * Look-ups of names: a few at once for each share, the shares in turns, and each name once for all its callers. A look-up ends after its
 * timeout, or when its last caller has given up.
 *
 * A failure is remembered for 5 s, so that a failing name does not take a slot each time it is asked for. Addresses are remembered as long
 * as DNS allows, at most 30 s. They are checked at each use, and the checked address is the one connected to, so the memory opens no gap
 * for a name that changes its addresses.
 */
export class LookUps {
  private readonly timeoutMs: number;
  private readonly slots: LookUpSlots;
  private readonly wanted = new Map<string, LookUp>();
  /** Look-ups that wait for a slot, by share; the share that had its turn last is at the end. */
  private readonly queues = new Map<string, Queue>();
  /** Entries stay after they expire, to show whether the last look-up of a name failed. */
  private readonly known = boundedMap<{ readonly answer: Answer; readonly until: number }>(REMEMBERED_MAX);

  constructor(
    private readonly resolver: Resolver,
    { timeoutMs = TIMEOUT_MS, bounds = BOUNDS }: LookUpOptions = {},
  ) {
    this.timeoutMs = timeoutMs;
    this.slots = new LookUpSlots(bounds);
  }

  /** Throws `ConnectFailure`. */
  addressesOf(hostname: string, { share, signal }: LookUpCaller): Promise<readonly ResolvedAddress[]> {
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer): void => (answer instanceof ConnectFailure ? reject(answer) : resolve(answer));
      const known = this.known.peek(hostname);
      if (known && performance.now() < known.until) settle(known.answer);
      else if (signal?.aborted) settle(new ConnectFailure('dns', TOO_SLOW));
      else this.wait(this.wanted.get(hostname) ?? this.want(hostname), { share, settle }, signal);
    });
  }

  private want(hostname: string): LookUp {
    const doubtful = this.known.peek(hostname)?.answer instanceof ConnectFailure;
    const lookUp: LookUp = { hostname, doubtful, askers: new Set() };
    this.wanted.set(hostname, lookUp);
    return lookUp;
  }

  private wait(lookUp: LookUp, { share, settle }: Asker, signal: AbortSignal | undefined): void {
    const leave = (answer: Answer): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      lookUp.askers.delete(asker);
      settle(answer);
    };
    const asker: Asker = { share, settle: leave };
    // A look-up that has begun continues after a caller's time is up: that it fails is worth knowing.
    const expire = (): void => {
      leave(new ConnectFailure('dns', lookUp.begun ? TOO_SLOW : NO_TURN));
      if (!lookUp.begun) this.forsake(lookUp, share);
    };
    const giveUp = (): void => {
      leave(new ConnectFailure('dns', TOO_SLOW));
      this.forsake(lookUp, share);
    };
    // A caller that has given up must not keep the process alive.
    const timer = setTimeout(expire, this.timeoutMs).unref();
    signal?.addEventListener('abort', giveUp, { once: true });
    lookUp.askers.add(asker);
    if (lookUp.begun) return;
    this.line(share, lookUp).add(lookUp);
    this.beginNext();
  }

  /** By callers of this share; the look-up ends when none of any share is left. */
  private forsake(lookUp: LookUp, share: string): void {
    const { hostname, askers, begun } = lookUp;
    if (askers.size === 0) {
      begun?.abort(GIVEN_UP);
      this.wanted.delete(hostname);
    }
    if (![...askers].some((other) => other.share === share)) this.unqueue(lookUp, share);
  }

  private beginNext(): void {
    // A share that had its turn moves to the end, where this loop reaches it once more.
    for (const [share, queue] of this.queues) {
      const lookUp = this.nextOf(share, queue);
      if (!lookUp) continue;
      for (const other of new Set([...lookUp.askers].map((asker) => asker.share))) this.unqueue(lookUp, other);
      if (this.queues.delete(share)) this.queues.set(share, queue);
      void this.run(lookUp, share);
    }
  }

  /** For a slot that is free. Doubtful names come first, since they never take all slots of their share. */
  private nextOf(share: string, { doubtful, others }: Queue): LookUp | undefined {
    for (const [lookUp] of [doubtful, others]) if (lookUp && this.slots.take(share, lookUp.doubtful)) return lookUp;
    return undefined;
  }

  private async run(lookUp: LookUp, share: string): Promise<void> {
    const { hostname, doubtful, askers } = lookUp;
    const begun = (lookUp.begun = new AbortController());
    const timer = setTimeout(() => begun.abort(), this.timeoutMs).unref();
    const answer = await this.answer(hostname, begun.signal);
    clearTimeout(timer);
    this.slots.free(share, doubtful);
    if (this.wanted.get(hostname) === lookUp) this.wanted.delete(hostname);
    // Callers that gave up early must not decide the result for the others.
    this.remember(hostname, answer, begun.signal.reason === GIVEN_UP ? 0 : livesMs(answer));
    for (const { settle } of askers) settle(answer);
    this.beginNext();
  }

  /** The slot is freed when the signal fires, whatever the resolver does. */
  private answer(hostname: string, signal: AbortSignal): Promise<Answer> {
    const ended = new Promise<Answer>((resolve) => {
      signal.addEventListener('abort', () => resolve(new ConnectFailure('dns', TOO_SLOW)), { once: true });
    });
    const asked = this.resolver(hostname, signal).then(
      (addresses): Answer => (addresses.length > 0 ? addresses : new ConnectFailure('dns', 'the name has no address')),
      (cause: NodeJS.ErrnoException) => toFailure(cause),
    );
    return Promise.race([ended, asked]);
  }

  private remember(hostname: string, answer: Answer, forMs: number): void {
    this.known.set(hostname, { answer, until: performance.now() + forMs });
  }

  private line(share: string, { doubtful }: LookUp): Set<LookUp> {
    const queue = this.queues.get(share) ?? { doubtful: new Set(), others: new Set() };
    this.queues.set(share, queue);
    return doubtful ? queue.doubtful : queue.others;
  }

  private unqueue(lookUp: LookUp, share: string): void {
    const queue = this.queues.get(share);
    if (!queue) return;
    queue.doubtful.delete(lookUp);
    queue.others.delete(lookUp);
    if (queue.doubtful.size + queue.others.size === 0) this.queues.delete(share);
  }
}

function livesMs(answer: Answer): number {
  if (answer instanceof ConnectFailure) return FAILED_MS;
  return Math.min(...answer.map(({ ttlSeconds = 0 }) => ttlSeconds * 1_000), ADDRESSES_MS_MAX);
}

function toFailure(cause: NodeJS.ErrnoException): ConnectFailure {
  return new ConnectFailure('dns', reasonOf('dns', cause.code), { cause });
}
