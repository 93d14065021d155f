import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_RETRY, type RetryPolicy } from '../../../kernel/retry-policy.js';
import { DELIVERY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { TenantCatalog } from '../../tenancy/index.js';

/** What a consumer uses where it sets nothing itself: the default of its tenant, or else of the product. */
@Injectable()
export class ConsumerDefaults {
  constructor(
    private readonly tenants: TenantCatalog,
    @Inject(DELIVERY_SETTINGS) private readonly delivery: Settings['delivery'],
  ) {}

  async of(tenantId: string): Promise<{ readonly retry: RetryPolicy; readonly timeoutMs: number }> {
    const own = (await this.tenants.find(tenantId))?.defaults;
    return { retry: { ...DEFAULT_RETRY, ...own?.retry }, timeoutMs: own?.timeoutMs ?? this.delivery.timeoutMs };
  }
}
