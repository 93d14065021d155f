import { MANAGEMENT_TOPICS, type Aggregate } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { tenancyError } from './tenancy-errors.js';

export interface NamespaceRef {
  readonly tenantId: string;
  readonly namespaceId: string;
}

export type NamespaceEvent =
  | { type: 'namespace.created'; data: { tenantId: string; namespaceId: string; name: string } }
  | { type: 'namespace.renamed'; data: { tenantId: string; namespaceId: string; name: string } }
  | { type: 'namespace.deleted'; data: { tenantId: string; namespaceId: string } };

export type NamespaceState =
  | { readonly status: 'none'; readonly deletedAt?: number }
  | { readonly status: 'active'; readonly name: string; readonly createdAt: number };

export const namespaceAggregate: Aggregate<NamespaceState, NamespaceEvent, NamespaceRef> = {
  topicUid: MANAGEMENT_TOPICS.namespaces,
  eventTypes: {
    'namespace.created': { version: 1 },
    'namespace.renamed': { version: 1 },
    'namespace.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantId, namespaceId }) => `${tenantId}/${namespaceId}`,
  tenantOf: ({ tenantId }) => tenantId,
  evolve(state, event, { recordedAt }): NamespaceState {
    switch (event.type) {
      case 'namespace.created':
        return { status: 'active', name: event.data.name, createdAt: recordedAt };
      case 'namespace.renamed':
        return state.status === 'active' ? { ...state, name: event.data.name } : state;
      case 'namespace.deleted':
        return { status: 'none', deletedAt: recordedAt };
      default:
        return state;
    }
  },
};

export function createNamespace(state: NamespaceState, ref: NamespaceRef, name: string): NamespaceEvent[] {
  if (!isChosenId(ref.namespaceId)) throw tenancyError('id-invalid', `"${ref.namespaceId}" is no valid id.`);
  if (state.status !== 'none') throw tenancyError('namespace-exists', `Namespace "${ref.namespaceId}" exists.`);
  return [{ type: 'namespace.created', data: { ...ref, name } }];
}

export function renameNamespace(state: NamespaceState, ref: NamespaceRef, name: string): NamespaceEvent[] {
  if (state.status !== 'active') throw namespaceNotFound(ref);
  return state.name === name ? [] : [{ type: 'namespace.renamed', data: { ...ref, name } }];
}

export function deleteNamespace(state: NamespaceState, ref: NamespaceRef): NamespaceEvent[] {
  if (state.status !== 'active') throw namespaceNotFound(ref);
  return [{ type: 'namespace.deleted', data: { ...ref } }];
}

export const namespaceNotFound = ({ namespaceId }: NamespaceRef): Error =>
  tenancyError('namespace-not-found', `There is no namespace "${namespaceId}".`);
