import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../kernel/clock.js';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { addressClass } from '../../../../platform/http/address-class.js';
import { Slots } from '../../../../platform/limits/slots.js';
import { Windows } from '../../../../platform/limits/window.js';
import { exhaustedLimit } from '../../../../kernel/limit-left.js';
import { apiKeyError } from '../../domain/api-key-errors.js';

const WINDOW_MS = 60_000;
/** Lookups in progress for one address: as many as one query takes. Their results are not known yet. */
const PENDING_MAX = 1_000;

/**
 * Bounds the cost of an address that sends invented keys: each well-formed key that is not in memory is looked up in the store. Only lookups
 * that find nothing are counted, so that many valid keys of one network are not taken for guesses. Counts are in the memory of each instance.
 *
 * Keys that this instance knows never get here: clients that share an address with a guesser (NAT, a proxy) are not affected.
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

  /** Throws `api-key-throttled` if the address must wait. */
  requireCapacity(address: string, keyId: string): void {
    const place = addressClass(address);
    if (this.misses.count(place) >= this.settings.apiKeyMissesPerMinute)
      throw this.throttled(this.misses.leftMs(place) / 1_000, keyId);
    if (this.pending.of(place) >= PENDING_MAX) throw this.throttled(1, keyId);
  }

  /** Only this refusal reports the count: on a 401 it would distinguish an unknown id from a wrong secret. */
  private throttled(retryAfterSeconds: number, keyId: string): Error {
    const quota = this.settings.apiKeyMissesPerMinute;
    const limit = { policy: 'api-key-misses', quota, windowSeconds: WINDOW_MS / 1_000 };
    return apiKeyError(
      'api-key-throttled',
      'Too many unknown API keys come from this address; wait before the next one.',
      exhaustedLimit(limit, retryAfterSeconds),
      { cause: { reason: 'throttled', keyId } },
    );
  }

  /** Counts a lookup of the address until it ends, and for the rest of the minute if it finds nothing. */
  async countLookup<T>(address: string, lookup: Promise<T | undefined>): Promise<T | undefined> {
    const place = addressClass(address);
    const release = this.pending.take(place);
    try {
      const found = await lookup;
      if (found === undefined) this.misses.add(place);
      return found;
    } finally {
      release();
    }
  }
}
