import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { addressClass } from '../../../platform/http/address-class.js';
import { Windows } from './windows.js';

const WINDOW_MS = 3_600_000;
const PER_NAME = 3;
const PER_ADDRESS = 10;

/** How many mails strangers can have sent: three an hour to one account, ten an hour from one address. */
@Injectable()
export class ResetQuota {
  private readonly byName: Windows;
  private readonly byAddress: Windows;

  constructor(clock: Clock) {
    this.byName = new Windows(clock, WINDOW_MS);
    this.byAddress = new Windows(clock, WINDOW_MS);
  }

  /** False: no more for now. */
  take(name: string, address: string): boolean {
    const from = addressClass(address);
    if (this.byAddress.count(from) >= PER_ADDRESS || this.byName.count(name) >= PER_NAME) return false;
    this.byAddress.add(from);
    this.byName.add(name);
    return true;
  }
}
