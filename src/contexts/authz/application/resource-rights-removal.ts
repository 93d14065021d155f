import { Injectable } from '@nestjs/common';
import type { Sql } from '../../../platform/postgres/database.js';
import { MemberCatalog } from './ports.js';

/**
 * Called by the contexts that own what grants name. Ids can be used again: what was allowed on a topic or consumer, and the roles that are
 * held on it, end with it, so that they do not hold for the next one of that name.
 */
@Injectable()
export class ResourceRightsRemoval {
  constructor(private readonly members: MemberCatalog) {}

  /** In the transaction that deletes it. `type` as in paths: `topics`. */
  removeRightsOn(
    sql: Sql,
    namespace: { readonly tenantId: string; readonly namespaceId: string },
    type: string,
    id: string,
  ): Promise<void> {
    return this.members.removeResource(sql, namespace.tenantId, `namespaces/${namespace.namespaceId}/${type}/${id}`);
  }
}
