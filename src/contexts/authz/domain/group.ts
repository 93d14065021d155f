import { serializedLog, type Aggregate, type Changed } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { authzError } from './authz-errors.js';
import { closesCycle, type Nesting } from './group-cycle.js';

export interface GroupRef {
  readonly tenantId: string;
  /** The life of the tenant: what held in an earlier one does not hold in the next. */
  readonly tenantUid: string;
  readonly groupId: string;
}

/** What a group is made of. Members of a nested group are members of the group. */
export type GroupPart = 'user' | 'role' | 'group';

export type GroupEvent =
  | { type: 'group.created'; data: GroupRef & { name: string } }
  | { type: 'group.renamed'; data: GroupRef & { name: string } }
  | { type: 'group.part-added'; data: GroupRef & { part: GroupPart; id: string } }
  | { type: 'group.part-removed'; data: GroupRef & { part: GroupPart; id: string } }
  | { type: 'group.deleted'; data: GroupRef };

export type GroupState =
  | { readonly status: 'none' }
  | {
      readonly status: 'active';
      readonly name: string;
      readonly createdAt: number;
      readonly parts: Readonly<Record<GroupPart, readonly string[]>>;
    };

/** All before the change. */
export interface GroupFacts {
  /** In the tenant. */
  readonly groups: number;
  /** How many other parts of the added kind the group has. */
  readonly otherParts: number;
  /** Which groups of the tenant contain which. */
  readonly nesting: readonly Nesting[];
}

const GROUPS_MAX = 500;
const PARTS_MAX: Readonly<Record<GroupPart, number>> = { user: 10_000, role: 20, group: 50 };

export const groupAggregate: Aggregate<GroupState, GroupEvent, GroupRef, GroupFacts> = {
  topicUid: serializedLog('permissions'),
  eventTypes: {
    'group.created': { version: 1 },
    'group.renamed': { version: 1 },
    'group.part-added': { version: 1 },
    'group.part-removed': { version: 1 },
    'group.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantUid, groupId }) => `group/${tenantUid}/${groupId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, groupId }) => `tenants/${tenantId}/groups/${groupId}`,
  evolve(state, { type, data }, { recordedAt }): GroupState {
    if (type === 'group.deleted') return { status: 'none' };
    if (type === 'group.created')
      return {
        status: 'active',
        name: data.name,
        createdAt: recordedAt,
        parts: { user: [], role: [], group: [] },
      };
    if (state.status === 'none') return state;
    if (type === 'group.renamed') return { ...state, name: data.name };
    const others = state.parts[data.part].filter((id) => id !== data.id);
    const ids = type === 'group.part-added' ? [...others, data.id] : others;
    return { ...state, parts: { ...state.parts, [data.part]: ids } };
  },
  check: checkGroup,
};

export function checkGroup(
  { groups, otherParts, nesting }: GroupFacts,
  { before, state, events }: Changed<GroupState, GroupEvent>,
  { groupId }: GroupRef,
): void {
  if (before.status === 'none' && state.status === 'active' && groups >= GROUPS_MAX)
    throw authzError('too-many-groups', `A tenant may have ${GROUPS_MAX} groups.`);
  for (const { type, data } of events) {
    if (type !== 'group.part-added') continue;
    const { part, id } = data;
    if (otherParts >= PARTS_MAX[part]) throw authzError('group-full', `A group may have ${PARTS_MAX[part]} ${part}s.`);
    if (part === 'group' && closesCycle(nesting, groupId, id)) throw groupCycle(groupId, id);
  }
}

export function createGroup(state: GroupState, ref: GroupRef, name: string): GroupEvent[] {
  if (!isChosenId(ref.groupId)) throw authzError('group-id-invalid', `"${ref.groupId}" is no valid group id.`);
  if (state.status === 'active') throw authzError('group-exists', `Group "${ref.groupId}" exists.`);
  return [{ type: 'group.created', data: { ...ref, name } }];
}

export function renameGroup(state: GroupState, ref: GroupRef, name: string): GroupEvent[] {
  return existing(state, ref).name === name ? [] : [{ type: 'group.renamed', data: { ...ref, name } }];
}

/**
 * Cycles and limits are checked by `checkGroup`, with facts about all groups. `live`: the part counts; a user who has left the tenant does
 * not, until they are added again.
 */
export function addPart(state: GroupState, ref: GroupRef, part: GroupPart, id: string, live: boolean): GroupEvent[] {
  if (existing(state, ref).parts[part].includes(id) && live) return [];
  if (part === 'group' && id === ref.groupId) throw groupCycle(ref.groupId, id);
  return [{ type: 'group.part-added', data: { ...ref, part, id } }];
}

export function removePart(state: GroupState, ref: GroupRef, part: GroupPart, id: string): GroupEvent[] {
  return existing(state, ref).parts[part].includes(id)
    ? [{ type: 'group.part-removed', data: { ...ref, part, id } }]
    : [];
}

export function deleteGroup(state: GroupState, ref: GroupRef): GroupEvent[] {
  existing(state, ref);
  return [{ type: 'group.deleted', data: { ...ref } }];
}

function existing(state: GroupState, ref: GroupRef): GroupState & { status: 'active' } {
  if (state.status === 'none') throw groupNotFound(ref.groupId);
  return state;
}

export const groupNotFound = (groupId: string): Error =>
  authzError('group-not-found', `There is no group "${groupId}".`);

const groupCycle = (groupId: string, id: string): Error =>
  authzError('group-cycle', `Group "${id}" already contains group "${groupId}", directly or through others.`);
