import { authzError } from './authz-errors.js';
import { topRole } from './predefined-roles.js';

/*
 * A tenant must not be without an owner, nor the system without an administrator. Suspended holders cannot act, so they do not count.
 */

/** The other holders of the role. */
export interface OtherHolders {
  readonly all: number;
  readonly active: number;
}

/** For a holder who loses the role. */
export function requireOtherHolder(tenantId: string, { all, active }: OtherHolders, loser: { active: boolean }): void {
  if (all === 0 || (loser.active && active === 0))
    throw authzError('last-holder', `No active user would be left with the role "${topRole(tenantId)}".`);
}

/** For a holder whose account is suspended or deleted. */
export function requireActiveHolder(tenantId: string, othersActive: boolean): void {
  if (othersActive) return;
  const role = topRole(tenantId);
  throw authzError('last-holder', `No active user would be left with the role "${role}" in ${tenantId}.`);
}
