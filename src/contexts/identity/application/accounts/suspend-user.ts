import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { suspendUser } from '../../domain/user.js';
import { Sessions } from '../sessions/sessions.js';
import { UserAccounts, type Account } from './ports.js';

export class SuspendUser extends Command<Account> {
  constructor(
    readonly userId: string,
    readonly reason: string | null,
    readonly byUserId: string,
    readonly by: Actor,
  ) {
    super();
  }
}

/** Ends the sessions of the user; their tokens and keys are refused. */
@CommandHandler(SuspendUser)
export class SuspendUserHandler implements ICommandHandler<SuspendUser> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly sessions: Sessions,
  ) {}

  async execute({ userId, reason, byUserId, by }: SuspendUser): Promise<Account> {
    const ref = { userId };
    const ended = await this.sessions.list(userId);
    const changing = this.accounts.changing({ reason });
    await this.aggregates.change(changing, ref, by, (state) => suspendUser(state, ref, byUserId));
    await this.sessions.recordEnds(ended, 'user-suspended', by);
    return changing.stored ?? this.accounts.require(userId);
  }
}
