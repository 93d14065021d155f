import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf } from './operations.js';

const IN_TENANT = '/tenants/{tenantId}/';

/**
 * Operations are named as SDKs call them: by their handlers. A handler that serves tenants and the system is two operations, and that of
 * the system says so: `listRoles`, `listSystemRoles`.
 */
export function nameOperations(document: OpenAPIObject): void {
  for (const { path, operation } of operationsOf(document)) {
    const [name, alias] = operation.operationId!.split('[');
    const ofSystem = alias !== undefined && !path.startsWith(IN_TENANT);
    operation.operationId = ofSystem ? name!.replace(/^[a-z]+/, '$&System') : name!;
    if (ofSystem) operation.summary += ', system-wide';
  }
}
