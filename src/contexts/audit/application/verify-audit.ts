import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { ChainPlace } from '../domain/chain.js';
import { ChainVerifier, type Verdict } from './chain-verifier.js';
import { ExpensiveQuerySlots } from './expensive-query-slots.js';
import { SealRecords } from './seal-records.js';

/** Computes the chain of one tenant, or of each, again. Seals what is there first, so that the result covers all of it. */
export class VerifyAudit extends Query<Verdict[]> {
  constructor(
    /** Undefined: all tenants. */
    readonly tenantId: string | undefined,
    /** The requesting user. */
    readonly userId: string | null,
    readonly signal: AbortSignal,
    /** An earlier head that was kept elsewhere; for all tenants, a head of `$system`. */
    readonly kept?: ChainPlace,
  ) {
    super();
  }
}

@QueryHandler(VerifyAudit)
export class VerifyAuditHandler implements IQueryHandler<VerifyAudit> {
  constructor(
    private readonly chains: ChainVerifier,
    private readonly seal: SealRecords,
    private readonly work: ExpensiveQuerySlots,
  ) {}

  execute({ tenantId, userId, signal, kept }: VerifyAudit): Promise<Verdict[]> {
    return this.work.run({ tenantId, userId }, signal, async (own) => {
      if (tenantId !== undefined) return [await this.withHeads(await this.chains.verify(tenantId, own, kept))];
      await this.seal.runOnce(); // so that each tenant with a record has a chain
      const verdicts = [await this.withHeads(await this.chains.verify(SYSTEM_TENANT, own, kept))];
      for await (const each of this.chains.tenants())
        if (each !== SYSTEM_TENANT) verdicts.push(await this.chains.verify(each, own));
      return verdicts;
    });
  }

  /** The sum covers the heads of all tenants: a wrong sum shows in the verdict of each tenant, and once in a verdict on all. */
  private async withHeads(verdict: Verdict): Promise<Verdict> {
    return { ...verdict, broken: verdict.broken ?? (await this.chains.breakOfHeads()) };
  }
}
