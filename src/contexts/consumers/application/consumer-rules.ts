import type { Changed } from '../../../kernel/aggregate.js';
import { namespaceNotFound, requireRoom, type TenantRoom } from '../../tenancy/index.js';
import { requireTopics, type ConsumerRef, type ConsumerState, type Subscription } from '../domain/consumer.js';

/** What a new consumer, or one that gets topics, needs to know from other contexts. */
export interface ConsumerFacts {
  /** The life of its namespace; undefined: there is none. Only for a new consumer, as `room`: others may be in one that is gone, and go soon. */
  readonly namespaceUid: string | undefined;
  readonly room: TenantRoom | undefined;
  /** Topics that it gets and that do not exist (any more). */
  readonly missing: readonly Subscription[];
}

/** Pure; not in `domain/`, which knows no other context: two of these are tenancy's rules. */
export function checkConsumer(facts: ConsumerFacts, { before, state }: Changed<ConsumerState>, ref: ConsumerRef): void {
  if (state.status === 'none') return;
  if (before.status === 'none') {
    if (facts.namespaceUid === undefined) throw namespaceNotFound(ref);
    requireRoom(ref.tenantId, 'consumers', facts.room);
  }
  requireTopics(facts.missing);
}
