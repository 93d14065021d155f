import { serializedLog, type Aggregate, type Changed } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { tenancyError } from './tenancy-errors.js';
import { requireOpen, requireRoom, type TenantRoom } from './tenant-room.js';
import type { TenantStatus } from './tenant.js';

export interface NamespaceRef {
  readonly tenantId: string;
  readonly namespaceId: string;
}

export interface NamespaceLife extends NamespaceRef {
  readonly namespaceUid: string;
}

export type NamespaceEvent =
  | { type: 'namespace.created'; data: NamespaceRef & { namespaceUid: string; name: string } }
  | { type: 'namespace.renamed'; data: NamespaceRef & { name: string } }
  | { type: 'namespace.deleted'; data: NamespaceRef & { namespaceUid: string; forced: boolean } };

export type NamespaceState =
  | { readonly status: 'none'; readonly namespaceUid?: string; readonly forced?: boolean }
  | { readonly status: 'active'; readonly namespaceUid: string; readonly name: string; readonly createdAt: number };

export interface NamespaceFacts {
  /** Of its tenant; undefined: there is none. */
  readonly tenant: TenantStatus | undefined;
  /** For a new one. */
  readonly room: TenantRoom | undefined;
  /** Whether one that is deleted holds anything. */
  readonly occupied: boolean;
}

export const namespaceAggregate: Aggregate<NamespaceState, NamespaceEvent, NamespaceRef, NamespaceFacts> = {
  topicUid: serializedLog('namespaces'),
  eventTypes: {
    'namespace.created': { version: 1 },
    'namespace.renamed': { version: 1 },
    'namespace.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantId, namespaceId }) => `${tenantId}/${namespaceId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, namespaceId }) => `tenants/${tenantId}/namespaces/${namespaceId}`,
  evolve(state, { type, data }, { recordedAt }): NamespaceState {
    switch (type) {
      case 'namespace.created':
        return { status: 'active', namespaceUid: data.namespaceUid, name: data.name, createdAt: recordedAt };
      case 'namespace.renamed':
        return state.status === 'active' ? { ...state, name: data.name } : state;
      case 'namespace.deleted':
        return { status: 'none', namespaceUid: data.namespaceUid, forced: data.forced };
      default:
        return state;
    }
  },
  check: checkNamespace,
};

function checkNamespace(
  { tenant, room, occupied }: NamespaceFacts,
  { before, state }: Changed<NamespaceState>,
  { tenantId, namespaceId }: NamespaceRef,
): void {
  if (state.status === 'none') {
    if (occupied && !state.forced)
      throw tenancyError(
        'namespace-not-empty',
        `Namespace "${namespaceId}" is not empty; empty it or use ?force=true.`,
      );
    return;
  }
  requireOpen(tenantId, tenant);
  if (before.status === 'none') requireRoom(tenantId, 'namespaces', room);
}

/** The uid is new for each life of an id: what an earlier one held is not part of it. */
export function createNamespace(
  state: NamespaceState,
  ref: NamespaceRef,
  namespaceUid: string,
  name: string,
): NamespaceEvent[] {
  if (!isChosenId(ref.namespaceId)) throw tenancyError('id-invalid', `"${ref.namespaceId}" is no valid id.`);
  if (state.status !== 'none') throw tenancyError('namespace-exists', `Namespace "${ref.namespaceId}" exists.`);
  return [{ type: 'namespace.created', data: { ...ref, namespaceUid, name } }];
}

export function renameNamespace(state: NamespaceState, ref: NamespaceRef, name: string): NamespaceEvent[] {
  if (state.status !== 'active') throw namespaceNotFound(ref);
  return state.name === name ? [] : [{ type: 'namespace.renamed', data: { ...ref, name } }];
}

/** Unless forced, refused while the namespace holds anything (see NamespaceContents). */
export function deleteNamespace(state: NamespaceState, ref: NamespaceRef, forced: boolean): NamespaceEvent[] {
  if (state.status !== 'active') throw namespaceNotFound(ref);
  return [{ type: 'namespace.deleted', data: { ...ref, namespaceUid: state.namespaceUid, forced } }];
}

export const namespaceNotFound = ({ namespaceId }: Pick<NamespaceRef, 'namespaceId'>): Error =>
  tenancyError('namespace-not-found', `There is no namespace "${namespaceId}".`);
