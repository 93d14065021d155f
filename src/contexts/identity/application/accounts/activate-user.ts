import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { activateUser } from '../../domain/user.js';
import { UserAccounts, type Account } from './ports.js';

export class ActivateUser extends Command<Account> {
  constructor(
    readonly userId: string,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(ActivateUser)
export class ActivateUserHandler implements ICommandHandler<ActivateUser> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
  ) {}

  async execute({ userId, by }: ActivateUser): Promise<Account> {
    const ref = { userId };
    const changing = this.accounts.changing({});
    await this.aggregates.change(changing, ref, by, (state) => activateUser(state, ref));
    return changing.stored ?? this.accounts.require(userId);
  }
}
