import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { addressClass } from './guess-throttle.js';

const WINDOW_MS = 3_600_000;
const PER_NAME = 3;
const PER_ADDRESS = 10;
const REMEMBERED_MAX = 100_000;

/** How many mails strangers can have sent: three an hour to one account, ten an hour from one address. */
@Injectable()
export class ResetQuota {
  private readonly taken = new Map<string, { since: number; count: number }>();

  constructor(private readonly clock: Clock) {}

  /** False: no more for now. */
  take(name: string, address: string): boolean {
    const [byAddress, byName] = [this.windowOf(`from ${addressClass(address)}`), this.windowOf(`to ${name}`)];
    if (byAddress.count >= PER_ADDRESS || byName.count >= PER_NAME) return false;
    byAddress.count++;
    byName.count++;
    return true;
  }

  private windowOf(key: string): { since: number; count: number } {
    const now = this.clock.now();
    let window = this.taken.get(key);
    if (!window || now - window.since >= WINDOW_MS) {
      window = { since: now, count: 0 };
      this.taken.delete(key);
      this.taken.set(key, window);
      if (this.taken.size > REMEMBERED_MAX) this.taken.delete(this.taken.keys().next().value!);
    }
    return window;
  }
}
