import { Injectable } from '@nestjs/common';
import { tenancyError, TenantGates } from '../../tenancy/index.js';

/** The uid of the tenant that has this id now: an id can be used again after a deletion. */
@Injectable()
export class TenantUids {
  constructor(private readonly gates: TenantGates) {}

  async of(tenantId: string): Promise<string> {
    const gate = await this.gates.of(tenantId);
    if (!gate) throw tenancyError('tenant-not-found', `There is no tenant "${tenantId}".`);
    return gate.tenantUid;
  }
}
