import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { newTimelessId } from '../../../../kernel/ids.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { defaultName, normalizeEmail } from '../../domain/email.js';
import { createUser, type UserKind } from '../../domain/user.js';
import { PasswordMails } from '../passwords/password-mails.js';
import { Passwords } from '../passwords/passwords.js';
import { UserAccounts, type Account } from './ports.js';

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
    if (invited) this.mails.requireDelivery();
    const ref = { userId: newTimelessId('usr') };
    const account = {
      kind,
      email: email === undefined ? null : normalizeEmail(email),
      name: name ?? (email === undefined ? ref.userId : defaultName(email)),
      passwordHash: password === undefined ? null : await this.hash(password, [email ?? null, name ?? null]),
    };
    const creating = this.accounts.creating(account);
    await this.aggregates.change(creating, ref, by, (state) => createUser(state, ref, kind, invited));
    const created = creating.stored!;
    if (invited) this.mails.send(created);
    return created;
  }

  private async hash(password: string, known: (string | null)[]): Promise<string> {
    await this.passwords.requireAcceptable(password, known, '/password');
    return this.passwords.hash(password);
  }
}
