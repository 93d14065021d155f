import { Injectable } from '@nestjs/common';
import { AuditHeads, AuditRetentions } from './ports.js';

/**
 * At each start, before anything is sealed: the first one begins the heads, and the first with another master key begins them under that and
 * takes the retentions along. That is no way to make good what was tampered with: a head that was taken away is still in the sum.
 */
@Injectable()
export class BeginHeads {
  constructor(
    private readonly heads: AuditHeads,
    private readonly retentions: AuditRetentions,
  ) {}

  async run(): Promise<void> {
    await this.retentions.signAll();
    await this.heads.begin();
    await this.retentions.keepHeads();
  }
}
