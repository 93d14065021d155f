import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor, type Actor } from '../../../kernel/aggregate.js';
import { Clock, waitAfter } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates, type Reaction, type StoredEvent } from '../../../platform/event-log/index.js';
import { revokeApiKey, withOrigin } from '../domain/api-key-aggregate.js';
import type { UserEvent } from '../domain/user.js';
import { ApiKeyStore, KEYS_PER_USER_MAX } from './api-key-store.js';
import { factsOf } from './key-issue.js';

const HANDLER_MS = 2_000;
const DELETED: UserEvent['type'] = 'user.deleted';
const PASSWORD_CHANGED: UserEvent['type'] = 'user.password-changed';

/** Ends all keys of a user: he is deleted, or wants to be rid of them. To do it again, or twice at once, does no harm. */
@Injectable()
export class KeysOfUsers {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly keys: ApiKeyStore,
  ) {}

  /** Those that were made until then. */
  async revokeAll(userId: string, by: Actor, until = Infinity): Promise<void> {
    for (const known of await this.keys.list(userId, { createdAt: -1, keyId: '' }, KEYS_PER_USER_MAX)) {
      if (known.createdAt > until) continue;
      const ref = { userId, keyId: known.keyId };
      await this.aggregates.change(this.keys, ref, by, (state) =>
        state.status === 'revoked' ? [] : withOrigin(state, ref, factsOf(known), (key) => revokeApiKey(key, ref)),
      );
    }
  }
}

/** Does what a crash between the act of a user and the end of his keys has left. */
@Injectable()
export class OnKeysToEnd implements Reaction {
  /** As its checkpoint is called. */
  readonly name = 'identity:on-user-deleted';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.users };

  constructor(
    private readonly keys: KeysOfUsers,
    private readonly clock: Clock,
  ) {}

  handle = async (event: StoredEvent, signal: AbortSignal): Promise<void> => {
    const { type, stream, recordedAt, correlationId, id } = event;
    if (!endsKeys(event)) return;
    // The handler does it itself a moment later, and puts on record who did; it is only made good where that never came.
    await pause(waitAfter(recordedAt, HANDLER_MS, this.clock.now()), undefined, { signal });
    // Who only has a new password may have made new keys since.
    await this.keys.revokeAll(stream!, systemActor(correlationId ?? id), type === DELETED ? Infinity : recordedAt);
  };
}

const endsKeys = ({ type, data }: StoredEvent): boolean =>
  type === DELETED ||
  (type === PASSWORD_CHANGED && (JSON.parse(data) as { revokesApiKeys?: true }).revokesApiKeys === true);
