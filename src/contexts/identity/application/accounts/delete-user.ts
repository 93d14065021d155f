import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../../kernel/expected-version.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { deleteUser } from '../../domain/user.js';
import { UserKeyRevocation } from '../api-keys/user-key-revocation.js';
import { Sessions } from '../sessions/sessions.js';
import { UserAccounts } from './ports.js';

export class DeleteUser extends Command<void> {
  constructor(
    readonly userId: string,
    readonly byUserId: string,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

/** Erases the personal data of the user and revokes their API keys. The events that they caused keep an id that identifies no one any more. */
@CommandHandler(DeleteUser)
export class DeleteUserHandler implements ICommandHandler<DeleteUser> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly sessions: Sessions,
    private readonly keys: UserKeyRevocation,
  ) {}

  async execute({ userId, byUserId, by, expectedVersion }: DeleteUser): Promise<void> {
    const ref = { userId };
    const ended = await this.sessions.list(userId);
    await this.aggregates.change(this.accounts, ref, by, (state) => deleteUser(state, ref, byUserId), {
      expectedVersion,
    });
    await this.sessions.recordEnds(ended, 'user-deleted', by);
    await this.keys.revokeAll(userId, by);
  }
}
