import type { Request } from '../../../platform/http/request.js';
import { permissionDenied } from '../../authz/index.js';
import type { NamespaceRef } from '../../tenancy/index.js';

/**
 * A consumer carries events to its URL: whoever says which topics and where to must himself be allowed to read them, events of all types.
 * It is asked before the topics are looked up, so that nobody learns which there are.
 */
export function requireReading(
  { access }: Request,
  { tenantId, namespaceId }: NamespaceRef,
  topicIds: readonly string[],
): void {
  const base = `tenants/${tenantId}/namespaces/${namespaceId}/topics`;
  if (!topicIds.every((topicId) => access!.allowsAllTypes('event:read', `${base}/${topicId}`)))
    throw permissionDenied('event:read');
}
