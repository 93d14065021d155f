import { MANAGEMENT_TOPICS, type Aggregate } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { authzError } from './authz-errors.js';

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

export const PARTS_MAX: Readonly<Record<GroupPart, number>> = { user: 10_000, role: 20, group: 50 };

export const groupAggregate: Aggregate<GroupState, GroupEvent, GroupRef> = {
  topicUid: MANAGEMENT_TOPICS.permissions,
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
};

export function createGroup(state: GroupState, ref: GroupRef, name: string): GroupEvent[] {
  if (!isChosenId(ref.groupId)) throw authzError('group-id-invalid', `"${ref.groupId}" is no valid group id.`);
  if (state.status === 'active') throw authzError('group-exists', `Group "${ref.groupId}" exists.`);
  return [{ type: 'group.created', data: { ...ref, name } }];
}

export function renameGroup(state: GroupState, ref: GroupRef, name: string): GroupEvent[] {
  return existing(state, ref).name === name ? [] : [{ type: 'group.renamed', data: { ...ref, name } }];
}

/**
 * Whether a nested group closes a circle, and whether there is room, is seen by who knows all groups (see PostgresGroups). `live`: the part
 * counts; one who has left the tenant does not, until he is added anew.
 */
export function addPart(state: GroupState, ref: GroupRef, part: GroupPart, id: string, live: boolean): GroupEvent[] {
  if (existing(state, ref).parts[part].includes(id) && live) return [];
  if (part === 'group' && id === ref.groupId) throw groupCycle(ref, id);
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

export const groupCycle = ({ groupId }: GroupRef, id: string): Error =>
  authzError('group-cycle', `Group "${id}" holds group "${groupId}" already, directly or through others.`);
