import type { Action } from '../../../kernel/actions.js';

export type ClosureReason = 'tenant-suspended' | 'tenant-deleting';

/**
 * Why a tenant is closed to an action that is permitted; undefined: it is open. A tenant that is being deleted can be read, and deleted again.
 * A suspended one refuses all; callers that may suspend tenants can still manage the tenant itself.
 */
export function closureReason(
  action: Action,
  state: 'active' | 'suspended' | 'deleting' | undefined,
  maySuspend: () => boolean,
): ClosureReason | undefined {
  if (state === 'deleting')
    return action === 'tenant:read' || action === 'tenant:delete' ? undefined : 'tenant-deleting';
  if (state !== 'suspended') return undefined;
  return action.startsWith('tenant:') && maySuspend() ? undefined : 'tenant-suspended';
}
