import type { Changed } from '../../../kernel/aggregate.js';
import { namespaceNotFound, requireRoom, type TenantRoom } from '../../tenancy/index.js';
import type { TopicRef, TopicState } from '../domain/topic.js';

/** What a change of a topic needs to know from tenancy. */
export interface TopicFacts {
  /** The life of its namespace; undefined: there is none. */
  readonly namespaceUid: string | undefined;
  /** For a new one. */
  readonly room: TenantRoom | undefined;
}

/** A topic has a namespace, and a tenant has room for it. Pure; not in `domain/`, which knows no other context: these are tenancy's rules. */
export function checkTopic(facts: TopicFacts, { before, state }: Changed<TopicState>, ref: TopicRef): void {
  if (state.status === 'none') return;
  if (facts.namespaceUid === undefined) throw namespaceNotFound(ref);
  if (before.status === 'none') requireRoom(ref.tenantId, 'topics', facts.room);
}
