import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { ManagementWatch } from '../../../platform/event-log/index.js';

type Listener = (position: number) => void;

/** Hears of the ends of tenants, whichever instance brings them about. */
@Injectable()
export class TenantEnds {
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(watch: ManagementWatch) {
    watch.on(MANAGEMENT_TOPICS.tenants, ({ type, stream, position }) => {
      if (type === 'tenant.deleted') for (const tell of this.listeners.get(stream!) ?? []) tell(position);
    });
  }

  /** Where the end is in the management log; undefined: not within the time, or before the call, which `ended` then tells. */
  async within(ms: number, tenantId: string, ended: () => Promise<boolean>): Promise<number | undefined> {
    const end = Promise.withResolvers<number | undefined>();
    const timer = setTimeout(() => end.resolve(undefined), ms);
    const listeners = this.listeners.get(tenantId) ?? new Set();
    this.listeners.set(tenantId, listeners.add(end.resolve));
    try {
      return (await ended()) ? undefined : await end.promise;
    } finally {
      clearTimeout(timer);
      listeners.delete(end.resolve);
      if (listeners.size === 0) this.listeners.delete(tenantId);
    }
  }
}
