export interface Nesting {
  readonly groupId: string;
  readonly childId: string;
}

/** Whether a group that is put into another contains that one already, directly or through others. */
export function closesCycle(nesting: readonly Nesting[], groupId: string, childId: string): boolean {
  const childrenOf = Map.groupBy(nesting, (one) => one.groupId);
  const reached = new Set([childId]);
  for (const group of reached) for (const held of childrenOf.get(group) ?? []) reached.add(held.childId);
  return reached.has(groupId);
}
