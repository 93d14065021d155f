import { Injectable } from '@nestjs/common';
import { AuditChains, AuditHeads, AuditRetentions } from './ports.js';

const TENANTS = 100;

/**
 * At each start, before anything is sealed. What is older than signatures is signed at the first start of this release, which is where nothing
 * shows that heads were ever kept: who wants a row of his signed by it has to remove all chains, which every verification tells. The heads
 * begin behind it, so that a start that was killed is made good by the next one; and then each chain and retention gets its own, or those of
 * tenants that rest could be put back to what they were before. That is no way to make good what was tampered with: a head that was taken
 * away is still in the sum.
 */
@Injectable()
export class BeginHeads {
  constructor(
    private readonly heads: AuditHeads,
    private readonly retentions: AuditRetentions,
    private readonly chains: AuditChains,
  ) {}

  /** `sign` is told whether what has no signature is to be signed, too; for all that must be signed before the heads begin. */
  async run(sign: (unsignedToo: boolean) => Promise<void>): Promise<void> {
    const unsignedToo = !(await this.heads.everBegun());
    await sign(unsignedToo);
    await this.retentions.signAll(unsignedToo);
    await this.heads.begin();
    await this.retentions.keepHeads();
    await this.keepHeadsOfChains();
  }

  private async keepHeadsOfChains(): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.chains.headless(after, TENANTS);
      for (const tenantId of page)
        await this.chains.withLock(
          tenantId,
          (locked) => (locked.intact ? locked.keepHead() : Promise.resolve()),
          'wait',
        );
      if (page.length < TENANTS) return;
      after = page.at(-1)!;
    }
  }
}
