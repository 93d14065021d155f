import { boundedMap } from '../limits/bounded-map.js';
import { reasonOf } from './failure-reasons.js';
import { LookUpSlots, type SlotBounds } from './look-up-slots.js';
import type { ResolvedAddress, Resolver } from './name-resolver.js';
import { ConnectFailure } from './send-outcome.js';

/** Who asks for a name. */
export interface Asking {
  /** Whose part of the look-ups it takes. */
  readonly share: string;
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

export interface LookUpOptions {
  /** For one look-up, and for whoever waits for one, in the queue included. */
  readonly timeoutMs?: number;
  readonly bounds?: SlotBounds;
}

type Answer = readonly ResolvedAddress[] | ConnectFailure;

interface LookUp {
  readonly hostname: string;
  readonly doubtful: boolean;
  readonly askers: Set<Asker>;
  /** It is under way. */
  begun?: AbortController;
}

/** Of one share, in two lines: where there is no slot for the first of one, there is none for any behind it. */
interface Queue {
  readonly doubtful: Set<LookUp>;
  readonly others: Set<LookUp>;
}

interface Asker {
  readonly share: string;
  readonly settle: (answer: Answer) => void;
}

const TIMEOUT_MS = 3_000;
/** A process has thousands of sockets, and a resolver takes thousands of questions a second; two a look-up. */
const BOUNDS: SlotBounds = { perShare: 4, inAll: 128 };
const FAILED_MS = 5_000;
const ADDRESSES_MS_MAX = 30_000;
const REMEMBERED_MAX = 10_000;

const GIVEN_UP = Symbol('given up');
const TOO_SLOW = 'the name took too long to resolve';
const NO_TURN = 'too many other names are being looked up';

/**
 * Look-ups of names: a few at once for each share, those of all shares in turns, each name once whoever asks for it. A look-up ends after
 * its timeout, or when the last who asked gave up.
 *
 * A failure is remembered for 5 s, so that a name that brings nothing takes no slot each time it is asked for. Addresses are remembered
 * as long as DNS allows, at most 30 s; they are judged at each use, and what was judged is what is connected to, so that memory opens
 * no gap for a name that changes its answer.
 */
export class LookUps {
  private readonly timeoutMs: number;
  private readonly slots: LookUpSlots;
  private readonly wanted = new Map<string, LookUp>();
  /** What waits for a slot, by share, the share that had its turn last at the end. */
  private readonly queues = new Map<string, Queue>();
  /** An answer outlives its time, to tell of a name whether it brought nothing the last time. */
  private readonly known = boundedMap<{ readonly answer: Answer; readonly until: number }>(REMEMBERED_MAX);

  constructor(
    private readonly resolver: Resolver,
    { timeoutMs = TIMEOUT_MS, bounds = BOUNDS }: LookUpOptions = {},
  ) {
    this.timeoutMs = timeoutMs;
    this.slots = new LookUpSlots(bounds);
  }

  /** Throws `ConnectFailure`. */
  addressesOf(hostname: string, { share, signal }: Asking): Promise<readonly ResolvedAddress[]> {
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
    // A look-up that has begun goes on when time is up, to its own end: that it brings nothing is worth knowing.
    const expire = (): void => {
      leave(new ConnectFailure('dns', lookUp.begun ? TOO_SLOW : NO_TURN));
      if (!lookUp.begun) this.forsake(lookUp, share);
    };
    const giveUp = (): void => {
      leave(new ConnectFailure('dns', TOO_SLOW));
      this.forsake(lookUp, share);
    };
    // Whoever was given up in the meantime shall not hold up the end of the process.
    const timer = setTimeout(expire, this.timeoutMs).unref();
    signal?.addEventListener('abort', giveUp, { once: true });
    lookUp.askers.add(asker);
    if (lookUp.begun) return;
    this.line(share, lookUp).add(lookUp);
    this.beginNext();
  }

  /** Of this share, or by all. */
  private forsake(lookUp: LookUp, share: string): void {
    const { hostname, askers, begun } = lookUp;
    if (askers.size === 0) {
      begun?.abort(GIVEN_UP);
      this.wanted.delete(hostname);
    }
    if (![...askers].some((other) => other.share === share)) this.unqueue(lookUp, share);
  }

  private beginNext(): void {
    // A share that had its turn stands at the end, where this comes by it once more.
    for (const [share, queue] of this.queues) {
      const lookUp = this.nextOf(share, queue);
      if (!lookUp) continue;
      for (const other of new Set([...lookUp.askers].map((asker) => asker.share))) this.unqueue(lookUp, other);
      if (this.queues.delete(share)) this.queues.set(share, queue);
      void this.run(lookUp, share);
    }
  }

  /** Its slot is taken. Doubtful names come first, since they never take all slots of their share. */
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
    // Those who gave up sooner than the rest would have shall not decide for them.
    this.remember(hostname, answer, begun.signal.reason === GIVEN_UP ? 0 : livesMs(answer));
    for (const { settle } of askers) settle(answer);
    this.beginNext();
  }

  /** The slot is free when the signal says so, whatever the resolver does. */
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
