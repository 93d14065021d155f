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
 * How many mails strangers can have sent in an hour: to one account three from one address and twenty in all, and ten from one address.
 * So who asks for the mails of somebody else leaves those that the owner asks for from where he is.
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

  /** Of what the address may ask for: of what others ask for nobody is told. */
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
