import { Injectable } from '@nestjs/common';
import { AuditHeads, AuditRetentions } from './ports.js';

/**
 * Runs at each start, before anything is sealed. The first start creates the heads; the first start with another master key creates them
 * under that key and signs the retentions with it. Tampering cannot be hidden this way: a head that was removed is still in the sum.
 */
@Injectable()
export class InitializeHeads {
  constructor(
    private readonly heads: AuditHeads,
    private readonly retentions: AuditRetentions,
  ) {}

  async run(): Promise<void> {
    await this.retentions.signAgain();
    await this.heads.initialize();
    await this.retentions.addMissingHeads();
  }
}
