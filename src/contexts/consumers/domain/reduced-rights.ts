/** An event of the log of permissions, as far as it shows whose rights it changes. */
export interface PermissionEvent {
  readonly type: string;
  /** `$system`: it holds in all tenants. */
  readonly tenantId: string;
  readonly data: {
    readonly userId?: string;
    readonly principal?: { readonly kind: string; readonly id: string };
    readonly effect?: string;
    readonly part?: string;
    readonly id?: string;
  };
}

/** By tenant, the users whose rights may be reduced now; null: all users in it. */
export type ReducedRights = ReadonlyMap<string, ReadonlySet<string> | null>;

/** These only give: what was allowed before still is. */
const ONLY_GIVE = new Set(['role.created', 'group.created', 'group.renamed']);

/**
 * Whose rights the events may have reduced, all together: each user is listed once, however many events there are. An unknown event is
 * taken to affect all users in its tenant.
 */
export function reducedRights(events: readonly PermissionEvent[]): ReducedRights {
  const lessened = new Map<string, Set<string> | null>();
  for (const event of events) {
    const { tenantId, data } = event;
    const principal = data.principal?.kind;
    // An API key limits nothing that lasts: consumers that it registers run on the right of its owner.
    if (ONLY_GIVE.has(event.type) || data.effect === 'allow' || principal === 'apiKey') continue;
    const userId = affectedUser(event);
    const others = lessened.get(tenantId);
    if (userId === undefined || others === null) lessened.set(tenantId, null);
    else if (others) others.add(userId);
    else lessened.set(tenantId, new Set([userId]));
  }
  return lessened;
}

function affectedUser({ type, data: { userId, principal, part, id } }: PermissionEvent): string | undefined {
  if (type.startsWith('member.')) return userId;
  if (type.startsWith('grant.')) return principal?.kind === 'user' ? principal.id : undefined;
  return type.startsWith('group.part-') && part === 'user' ? id : undefined;
}
