import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../../kernel/expected-version.js';
import { newTimelessId } from '../../../../kernel/ids.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { nameFrom, normalEmail } from '../../domain/email.js';
import {
  activateUser,
  changeUser,
  createUser,
  deleteUser,
  suspendUser,
  userNotFound,
  type UserKind,
} from '../../domain/user.js';
import { KeyIssue } from '../api-keys/key-issue.js';
import { KeysOfUsers } from '../api-keys/keys-of-users.js';
import { PasswordMails } from '../passwords/password-mails.js';
import { Passwords } from '../passwords/passwords.js';
import { UserAccounts, type Account } from './ports.js';
import { Sessions } from '../sessions/sessions.js';

export interface UserInput {
  readonly kind: UserKind;
  /** Of a human. */
  readonly email?: string;
  readonly name?: string;
  /** Without it, a human is invited to choose one. */
  readonly password?: string;
}

export class CreateUser extends Command<Account> {
  constructor(
    readonly input: UserInput,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(CreateUser)
export class CreateUserHandler implements ICommandHandler<CreateUser> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly passwords: Passwords,
    private readonly mails: PasswordMails,
  ) {}

  async execute({ input: { kind, email, name, password }, by }: CreateUser): Promise<Account> {
    const invited = kind === 'human' && password === undefined;
    if (invited) this.mails.require();
    const ref = { userId: newTimelessId('usr') };
    const account = {
      kind,
      email: email === undefined ? null : normalEmail(email),
      name: name ?? (email === undefined ? ref.userId : nameFrom(email)),
      passwordHash: password === undefined ? null : await this.hash(password, [email ?? null, name ?? null]),
    };
    await this.aggregates.change(this.accounts.creating(account), ref, by, (state) =>
      createUser(state, ref, kind, invited),
    );
    const created = (await this.accounts.find(ref.userId))!;
    if (invited) this.mails.send(created);
    return created;
  }

  private async hash(password: string, known: (string | null)[]): Promise<string> {
    await this.passwords.judge(password, known, '/password');
    return this.passwords.hash(password);
  }
}

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
    private readonly issue: KeyIssue,
  ) {}

  async execute({ userId, change, by, expectedVersion }: ChangeUser): Promise<Account> {
    const current = await this.accounts.find(userId);
    if (!current) throw userNotFound(userId);
    const { name } = change;
    const email = change.email === undefined ? undefined : normalEmail(change.email);
    const changed = {
      name: name !== undefined && name !== current.name,
      email: email !== undefined && (current.email === null || email !== normalEmail(current.email)),
    };
    const ref = { userId };
    const changing = this.accounts.changing({
      ...(changed.name ? { name: name! } : {}),
      ...(changed.email ? { email: email! } : {}),
    });
    const repository = changed.email ? await this.issue.moving(changing, by, userId) : changing;
    await this.aggregates.change(repository, ref, by, (state) => changeUser(state, ref, changed), { expectedVersion });
    return (await this.accounts.find(userId))!;
  }
}

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

/** His sessions end, his tokens and keys are refused. */
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
    const repository = this.accounts.changing({ reason });
    await this.aggregates.change(repository, ref, by, (state) => suspendUser(state, ref, byUserId));
    await this.sessions.told(ended, 'user-suspended', by);
    return (await this.accounts.find(userId))!;
  }
}

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
    await this.aggregates.change(this.accounts, ref, by, (state) => activateUser(state, ref));
    return (await this.accounts.find(userId))!;
  }
}

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

/** What was known of him is erased, and his keys end; the events of his doing keep an id that names nobody any more. */
@CommandHandler(DeleteUser)
export class DeleteUserHandler implements ICommandHandler<DeleteUser> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly sessions: Sessions,
    private readonly keys: KeysOfUsers,
  ) {}

  async execute({ userId, byUserId, by, expectedVersion }: DeleteUser): Promise<void> {
    const ref = { userId };
    const ended = await this.sessions.list(userId);
    await this.aggregates.change(this.accounts, ref, by, (state) => deleteUser(state, ref, byUserId), {
      expectedVersion,
    });
    await this.sessions.told(ended, 'user-deleted', by);
    await this.keys.revokeAll(userId, by);
  }
}

export class GetUser extends Query<Account> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetUser)
export class GetUserHandler implements IQueryHandler<GetUser> {
  constructor(private readonly accounts: UserAccounts) {}

  async execute({ userId }: GetUser): Promise<Account> {
    const account = await this.accounts.find(userId);
    if (!account) throw userNotFound(userId);
    return account;
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListUsers extends Query<Account[]> {
  constructor(
    readonly filter: { readonly email?: string },
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListUsers)
export class ListUsersHandler implements IQueryHandler<ListUsers> {
  constructor(private readonly accounts: UserAccounts) {}

  execute({ filter: { email }, afterId, limit }: ListUsers): Promise<Account[]> {
    return this.accounts.list(email === undefined ? {} : { email }, afterId, limit + 1);
  }
}

export const USER_HANDLERS = [
  CreateUserHandler,
  ChangeUserHandler,
  SuspendUserHandler,
  ActivateUserHandler,
  DeleteUserHandler,
  GetUserHandler,
  ListUsersHandler,
];
