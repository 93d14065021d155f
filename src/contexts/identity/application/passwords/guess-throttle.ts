import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../kernel/clock.js';
import { addressClass } from '../../../../platform/http/address-class.js';
import { boundedMap, type BoundedMap } from '../../../../platform/limits/bounded-map.js';
import { Windows } from '../../../../platform/limits/window.js';
import { exhaustedLimit, type LimitLeft } from '../../../../kernel/limit-left.js';
import {
  ACCOUNT_FAILURES_MAX,
  withGuess,
  FORGOTTEN_AFTER_MS,
  FREE_FAILURES,
  waitLeft,
  type Failures,
} from '../../domain/guess-schedule.js';
import { identityError } from '../../domain/identity-errors.js';

const REMEMBERED_MAX = 100_000;
const ADDRESS_WINDOW_MS = 60_000;
const ADDRESS_GUESSES_MAX = 30;
const OF_ADDRESS = { policy: 'login-address', quota: ADDRESS_GUESSES_MAX, windowSeconds: ADDRESS_WINDOW_MS / 1_000 };
const OF_ACCOUNT = { policy: 'login-account', quota: FREE_FAILURES, windowSeconds: FORGOTTEN_AFTER_MS / 1_000 };

/** The classes of addresses from which someone has logged in to the account, in sessions that have not ended. */
type KnownClasses = () => Promise<ReadonlySet<string>>;

/**
 * Slows down guesses; the schedule is in domain/guess-schedule.ts. Names are counted whether there is such an account or not, so that a refusal
 * reveals nothing. Counts are in the memory of each instance: a restart forgets them, and n instances allow n times as much, which with 10 free
 * guesses and waits of up to 15 minutes does not help an attacker. A refused guess is not counted: it was not checked.
 */
@Injectable()
export class GuessThrottle {
  /** When full, the entries that have not changed for longest are forgotten. */
  private readonly byPlace = boundedMap<Failures>(REMEMBERED_MAX);
  private readonly byName = boundedMap<Failures>(REMEMBERED_MAX);
  private readonly byAddress: Windows;

  constructor(private readonly clock: Clock) {
    this.byAddress = new Windows(clock, ADDRESS_WINDOW_MS);
  }

  /** Throws `login-throttled`, or counts one more guess of `name` from `address` until `succeeded` takes it back. */
  async attempt(name: string, address: string, knownClasses: KnownClasses): Promise<void> {
    if (this.overallWait(name) > 0 && !(await knownClasses()).has(addressClass(address)))
      refuseFor(this.overallWait(name), OF_ACCOUNT);
    // No `await` from here on: parallel guesses see each other's counts.
    const place = placeOf(name, address);
    const now = this.clock.now();
    refuseFor(waitLeft(this.byPlace.peek(place), now), OF_ACCOUNT);
    this.countAddress(address);
    this.byPlace.set(place, withGuess(this.byPlace.peek(place), now));
    this.byName.set(name, withGuess(this.byName.peek(name), now));
  }

  /**
   * The guess was wrong: the wait begins now. Counted from the time of the guess, the first waits would be over before a busy server had checked
   * it.
   */
  failed(name: string, address: string): void {
    const now = this.clock.now();
    change(this.byPlace, placeOf(name, address), (failures) => ({ ...failures, lastAt: now }));
    change(this.byName, name, (failures) => ({ ...failures, lastAt: now }));
  }

  succeeded(name: string, address: string): void {
    this.byPlace.delete(placeOf(name, address));
    this.byName.delete(name);
    this.byAddress.takeBack(addressClass(address));
  }

  /** The guess was not checked after all. */
  withdraw(name: string, address: string): void {
    change(this.byPlace, placeOf(name, address), oneLess);
    change(this.byName, name, oneLess);
    this.byAddress.takeBack(addressClass(address));
  }

  /** A user who can read the mail of the account has proved that they own it. */
  forgetFailures(name: string): void {
    this.byName.delete(name);
  }

  /** The limits for guesses of `name` from `address`; guesses from elsewhere are not included. */
  left(name: string, address: string): LimitLeft[] {
    const key = addressClass(address);
    const place = this.byPlace.peek(placeOf(name, address));
    const waitMs = waitLeft(place, this.clock.now());
    const ofAddress = { ...OF_ADDRESS, remaining: ADDRESS_GUESSES_MAX - this.byAddress.count(key) };
    const ofAccount = { ...OF_ACCOUNT, remaining: FREE_FAILURES - (place?.count ?? 0) };
    const resetSeconds = this.byAddress.leftMs(key) / 1_000;
    return [
      resetSeconds > 0 ? { ...ofAddress, resetSeconds } : ofAddress,
      waitMs > 0 ? { ...ofAccount, resetSeconds: waitMs / 1_000 } : ofAccount,
    ];
  }

  private overallWait(name: string): number {
    return waitLeft(this.byName.peek(name), this.clock.now(), ACCOUNT_FAILURES_MAX);
  }

  private countAddress(address: string): void {
    const key = addressClass(address);
    if (this.byAddress.count(key) >= ADDRESS_GUESSES_MAX) refuseFor(this.byAddress.leftMs(key), OF_ADDRESS);
    this.byAddress.add(key);
  }
}

function refuseFor(waitMs: number, policy: typeof OF_ACCOUNT): void {
  if (waitMs <= 0) return;
  const extensions = exhaustedLimit(policy, waitMs / 1_000);
  throw identityError('login-throttled', 'Too many attempts; wait before the next one.', extensions);
}

const placeOf = (name: string, address: string): string => `${addressClass(address)} ${name}`;

const oneLess = (failures: Failures): Failures => ({ ...failures, count: failures.count - 1 });

function change(counts: BoundedMap<Failures>, key: string, next: (failures: Failures) => Failures): void {
  const failures = counts.peek(key);
  if (failures) counts.set(key, next(failures));
}
