import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ChainVerifier, type Verdict } from './chain-verifier.js';
import { HeavyWork } from './heavy-work.js';
import { SealRecords } from './seal-records.js';

/** Computes the chain of one tenant, or of each, anew. Seals first what is there, so that the answer is about all of it. */
export class VerifyAudit extends Query<Verdict[]> {
  constructor(
    /** Undefined: all. */
    readonly tenantId: string | undefined,
    /** Who asks. */
    readonly userId: string | null,
    readonly signal: AbortSignal,
  ) {
    super();
  }
}

@QueryHandler(VerifyAudit)
export class VerifyAuditHandler implements IQueryHandler<VerifyAudit> {
  constructor(
    private readonly chains: ChainVerifier,
    private readonly seal: SealRecords,
    private readonly work: HeavyWork,
  ) {}

  execute({ tenantId, userId, signal }: VerifyAudit): Promise<Verdict[]> {
    return this.work.run({ tenantId, userId }, signal, async (own) => {
      if (tenantId !== undefined) return [await this.chains.verify(tenantId, own)];
      await this.seal.runOnce(); // so that each tenant with a record has a chain
      const verdicts: Verdict[] = [];
      for await (const each of this.chains.tenants()) verdicts.push(await this.chains.verify(each, own));
      return verdicts;
    });
  }
}
