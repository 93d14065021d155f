import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../kernel/clock.js';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { addressClass } from '../../../../platform/http/address-class.js';
import { Slots } from '../../../../platform/limits/slots.js';
import { Windows } from '../../../../platform/limits/window.js';
import { usedUp } from '../../../../kernel/limit-left.js';
import { apiKeyError } from '../../domain/api-key-errors.js';

const WINDOW_MS = 60_000;
/** Questions of one address that are under way: what one query takes. Their answers are not known yet. */
const PENDING_MAX = 1_000;

/**
 * Bounds what an address costs that sends invented keys: each well-formed key that is not in memory is a question to the store. What is
 * counted is the questions without an answer, so that many keys of one network, all of them good, are no guesses. Counts are in the memory
 * of each instance.
 *
 * A key that this instance knows is judged without asking here: who shares an address with a guesser (NAT, a proxy) goes on.
 */
@Injectable()
export class KeyMissThrottle {
  private readonly misses: Windows;
  private readonly pending = new Slots();

  constructor(
    clock: Clock,
    @Inject(SECURITY_SETTINGS) private readonly settings: Pick<Settings['security'], 'apiKeyMissesPerMinute'>,
  ) {
    this.misses = new Windows(clock, WINDOW_MS);
  }

  /** Throws `api-key-throttled` where the address must wait. */
  requireRoom(address: string, keyId: string): void {
    const place = addressClass(address);
    if (this.misses.count(place) >= this.settings.apiKeyMissesPerMinute)
      throw this.throttled(this.misses.leftMs(place) / 1_000, keyId);
    if (this.pending.of(place) >= PENDING_MAX) throw this.throttled(1, keyId);
  }

  /** Told with the refusal alone: on a 401 the count would tell an id that nobody has made from a secret that is wrong. */
  private throttled(retryAfterSeconds: number, keyId: string): Error {
    const quota = this.settings.apiKeyMissesPerMinute;
    const limit = { policy: 'api-key-misses', quota, windowSeconds: WINDOW_MS / 1_000 };
    return apiKeyError(
      'api-key-throttled',
      'Too many unknown API keys come from this address; wait before the next one.',
      usedUp(limit, retryAfterSeconds),
      { cause: { reason: 'throttled', keyId } },
    );
  }

  /** Counts a question of the address until it is answered, and for the rest of the minute where the answer is none. */
  async asking<T>(address: string, question: Promise<T | undefined>): Promise<T | undefined> {
    const place = addressClass(address);
    const answered = this.pending.take(place);
    try {
      const answer = await question;
      if (answer === undefined) this.misses.add(place);
      return answer;
    } finally {
      answered();
    }
  }
}
