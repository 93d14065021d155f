import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor, type Actor } from '../../../kernel/aggregate.js';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates, type Reaction, type StoredEvent } from '../../../platform/event-log/index.js';
import { revokeApiKey, withOrigin } from '../domain/api-key-aggregate.js';
import type { UserEvent } from '../domain/user.js';
import { ApiKeyStore, KEYS_PER_USER_MAX } from './api-key-store.js';
import { factsOf } from './key-issue.js';

const HANDLER_MS = 2_000;
const DELETED: UserEvent['type'] = 'user.deleted';

/** Ends all keys of a user, because he is deleted. To do it again, or twice at once, does no harm. */
@Injectable()
export class KeysOfUsers {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly keys: ApiKeyStore,
  ) {}

  async revokeAll(userId: string, by: Actor): Promise<void> {
    for (const known of await this.keys.list(userId, { createdAt: -1, keyId: '' }, KEYS_PER_USER_MAX)) {
      const ref = { userId, keyId: known.keyId };
      await this.aggregates.change(this.keys, ref, by, (state) =>
        state.status === 'revoked' ? [] : withOrigin(state, ref, factsOf(known), (key) => revokeApiKey(key, ref)),
      );
    }
  }
}

/** Does what a crash between the deletion of a user and the end of his keys has left. */
@Injectable()
export class OnUserDeleted implements Reaction {
  readonly name = 'identity:on-user-deleted';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.users };

  constructor(
    private readonly keys: KeysOfUsers,
    private readonly clock: Clock,
  ) {}

  handle = async ({ type, stream, recordedAt, correlationId, id }: StoredEvent, signal: AbortSignal): Promise<void> => {
    if (type !== DELETED) return;
    // The handler does it itself a moment later, and puts on record who did; it is only made good where that never came.
    await pause(Math.max(0, recordedAt + HANDLER_MS - this.clock.now()), undefined, { signal });
    await this.keys.revokeAll(stream!, systemActor(correlationId ?? id));
  };
}
