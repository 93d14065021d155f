/** An event of the log of permissions, as far as it tells whose rights it is about. */
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

/** By tenant, whose rights may be less now; null: those of everybody in it. */
export type Lessened = ReadonlyMap<string, ReadonlySet<string> | null>;

/** What these can do is give: nothing that was allowed before is not after them. */
const ONLY_GIVE = new Set(['role.created', 'group.created', 'group.renamed']);

/**
 * Whose rights the events may have lessened, all together: who must be asked again is asked once, however many events there are. An event
 * that is not known is taken to concern everybody in its tenant.
 */
export function lessenedBy(events: readonly PermissionEvent[]): Lessened {
  const lessened = new Map<string, Set<string> | null>();
  for (const event of events) {
    const { tenantId, data } = event;
    const principal = data.principal?.kind;
    // An API key bounds nothing that lasts: what it makes runs on the right of its owner.
    if (ONLY_GIVE.has(event.type) || data.effect === 'allow' || principal === 'apiKey') continue;
    const userId = concerned(event);
    const others = lessened.get(tenantId);
    if (userId === undefined || others === null) lessened.set(tenantId, null);
    else if (others) others.add(userId);
    else lessened.set(tenantId, new Set([userId]));
  }
  return lessened;
}

function concerned({ type, data: { userId, principal, part, id } }: PermissionEvent): string | undefined {
  if (type.startsWith('member.')) return userId;
  if (type.startsWith('grant.')) return principal?.kind === 'user' ? principal.id : undefined;
  return type.startsWith('group.part-') && part === 'user' ? id : undefined;
}
