import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../kernel/clock.js';
import type { LimitLeft } from '../../../../kernel/limit-left.js';
import { addressClass } from '../../../../platform/http/address-class.js';
import { leftOf, Windows } from '../../../../platform/limits/window.js';

const WINDOW_MS = 3_600_000;
const PER_NAME_AND_ADDRESS = 3;
const PER_NAME = 20;
const PER_ADDRESS = 10;
const OF_ADDRESS = { policy: 'reset-address', quota: PER_ADDRESS, windowSeconds: WINDOW_MS / 1_000 };
const OF_NAME_AND_ADDRESS = { policy: 'reset-account', quota: PER_NAME_AND_ADDRESS, windowSeconds: WINDOW_MS / 1_000 };

/**
 * How many mails unauthenticated callers can have sent in an hour: three to one account from one address, twenty to one account in all, and ten
 * from one address. So a caller that asks for the mails of another user does not use up those that the owner asks for from their own address.
 */
@Injectable()
export class ResetQuota {
  private readonly byNameAndAddress: Windows;
  private readonly byName: Windows;
  private readonly byAddress: Windows;

  constructor(clock: Clock) {
    this.byNameAndAddress = new Windows(clock, WINDOW_MS);
    this.byName = new Windows(clock, WINDOW_MS);
    this.byAddress = new Windows(clock, WINDOW_MS);
  }

  /** What is left for this address only: no caller learns what others have asked for. */
  left(name: string, address: string): LimitLeft[] {
    const from = addressClass(address);
    return [
      leftOf(OF_ADDRESS, this.byAddress, from),
      leftOf(OF_NAME_AND_ADDRESS, this.byNameAndAddress, `${from} ${name}`),
    ];
  }

  /** False: no more for now. */
  take(name: string, address: string): boolean {
    const from = addressClass(address);
    const both = `${from} ${name}`;
    if (this.byAddress.count(from) >= PER_ADDRESS || this.byName.count(name) >= PER_NAME) return false;
    if (this.byNameAndAddress.count(both) >= PER_NAME_AND_ADDRESS) return false;
    this.byAddress.add(from);
    this.byNameAndAddress.add(both);
    this.byName.add(name);
    return true;
  }
}
