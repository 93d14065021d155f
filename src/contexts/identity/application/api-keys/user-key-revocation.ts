import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { systemActor, type Actor } from '../../../../kernel/aggregate.js';
import { Clock, remainingWaitMs } from '../../../../kernel/clock.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { KEYS_PER_USER_MAX } from '../../domain/api-key-rules.js';
import { revokeApiKey, withCreation } from '../../domain/api-key.js';
import { factsOf } from './credential-checks.js';
import { ApiKeyStore } from './ports.js';

const HANDLER_MS = 2_000;

/** Revokes all keys of a user, after the deletion of the user or on their request. It can be repeated, or run twice at once. */
@Injectable()
export class UserKeyRevocation {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly keys: ApiKeyStore,
  ) {}

  /** Only keys created until then. */
  async revokeAll(userId: string, by: Actor, until = Infinity): Promise<void> {
    for (const known of await this.keys.list(userId, { createdAt: -1, keyId: '' }, KEYS_PER_USER_MAX)) {
      if (known.createdAt > until) continue;
      const ref = { userId, keyId: known.keyId };
      await this.aggregates.change(this.keys, ref, by, (state) =>
        state.status === 'revoked' ? [] : withCreation(state, ref, factsOf(known), (key) => revokeApiKey(key, ref)),
      );
    }
  }
}

/** Revokes the keys that a crash, between the act of a user and the end of their keys, has left. */
export class RevokeKeysOfUser extends Command<void> {
  constructor(
    readonly userId: string,
    /** Only keys created until then. */
    readonly until: number,
    readonly actedAt: number,
    readonly correlationId: string,
    readonly signal: AbortSignal,
  ) {
    super();
  }
}

@CommandHandler(RevokeKeysOfUser)
export class RevokeKeysOfUserHandler implements ICommandHandler<RevokeKeysOfUser> {
  constructor(
    private readonly keys: UserKeyRevocation,
    private readonly clock: Clock,
  ) {}

  /** Normally the handler of the request does this a moment later, and records the actor. This covers for it after a crash. */
  async execute({ userId, until, actedAt, correlationId, signal }: RevokeKeysOfUser): Promise<void> {
    await pause(remainingWaitMs(actedAt, HANDLER_MS, this.clock.now()), undefined, { signal });
    await this.keys.revokeAll(userId, systemActor(correlationId), until);
  }
}
