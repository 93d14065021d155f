import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../../kernel/expected-version.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { normalizeEmail } from '../../domain/email.js';
import { changeUser } from '../../domain/user.js';
import { CredentialChecks } from '../api-keys/credential-checks.js';
import { UserAccounts, type Account } from './ports.js';

export class ChangeUser extends Command<Account> {
  constructor(
    readonly userId: string,
    readonly change: { readonly name?: string; readonly email?: string },
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(ChangeUser)
export class ChangeUserHandler implements ICommandHandler<ChangeUser> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly issue: CredentialChecks,
  ) {}

  async execute({ userId, change, by, expectedVersion }: ChangeUser): Promise<Account> {
    const current = await this.accounts.require(userId);
    const { name } = change;
    const email = change.email === undefined ? undefined : normalizeEmail(change.email);
    const changed = {
      name: name !== undefined && name !== current.name,
      email: email !== undefined && (current.email === null || email !== normalizeEmail(current.email)),
    };
    const ref = { userId };
    const changing = this.accounts.changing({
      ...(changed.name ? { name: name! } : {}),
      ...(changed.email ? { email: email! } : {}),
    });
    const repository = changed.email ? await this.issue.guardEmail(changing, by, userId) : changing;
    await this.aggregates.change(repository, ref, by, (state) => changeUser(state, ref, changed), { expectedVersion });
    return changing.stored ?? current;
  }
}
