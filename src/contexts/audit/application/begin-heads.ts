import { Injectable } from '@nestjs/common';
import { AuditHeads, AuditRetentions } from './ports.js';

/**
 * At each start, before anything is sealed. What is older than signatures is signed at the first start of this release, which is where nothing
 * shows that heads were ever kept: who wants a row of his signed by it has to remove all chains, which every verification tells. The heads
 * begin last, so that a start that was killed is made good by the next one.
 */
@Injectable()
export class BeginHeads {
  constructor(
    private readonly heads: AuditHeads,
    private readonly retentions: AuditRetentions,
  ) {}

  /** `sign` is told whether what has no signature is to be signed, too; for all that must be signed before the heads begin. */
  async run(sign: (unsignedToo: boolean) => Promise<void>): Promise<void> {
    const unsignedToo = !(await this.heads.everBegun());
    await sign(unsignedToo);
    await this.retentions.signAll(unsignedToo);
    await this.heads.begin();
  }
}
