import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PinoLogger } from 'nestjs-pino';
import type { Actor } from '../../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../../kernel/ids.js';
import { AuditTrail, auditedBy } from '../../../../platform/audit/index.js';
import { addressClass } from '../../../../platform/http/address-class.js';
import { normalizeEmail } from '../../domain/email.js';
import { identityError } from '../../domain/identity-errors.js';
import { UserAccounts, type Account } from '../accounts/ports.js';
import { GuessThrottle } from '../passwords/guess-throttle.js';
import { Passwords } from '../passwords/passwords.js';
import { Sessions } from './sessions.js';
import type { TokenPair } from './tokens.js';

export class LogIn extends Command<TokenPair> {
  constructor(
    readonly email: string,
    readonly password: string,
    readonly by: Actor,
  ) {
    super();
  }
}

/** An unknown e-mail, a wrong password and a suspended user take the same path and the same time, and get the same response. */
@CommandHandler(LogIn)
export class LogInHandler implements ICommandHandler<LogIn> {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly passwords: Passwords,
    private readonly throttle: GuessThrottle,
    private readonly sessions: Sessions,
    private readonly audit: AuditTrail,
    private readonly log: PinoLogger,
  ) {}

  async execute({ email, password, by }: LogIn): Promise<TokenPair> {
    const name = normalizeEmail(email);
    const address = by.origin?.address ?? 'unknown';
    return this.attempt(email, address, password, by).finally(() => {
      for (const left of this.throttle.left(name, address)) by.onLimit?.(left);
    });
  }

  private async attempt(email: string, address: string, password: string, by: Actor): Promise<TokenPair> {
    const name = normalizeEmail(email);
    await this.throttle
      .attempt(name, address, () => this.classesOf(email))
      .catch((error: unknown) => {
        this.note(by, undefined, 'throttled');
        throw error;
      });
    const account = await this.accounts.findByEmail(email);
    const { right, outdated } = await this.passwords.verify(password, account?.passwordHash).catch((error: unknown) => {
      this.throttle.withdraw(name, address);
      throw error;
    });
    const refusal = refusalOf(account, right);
    if (refusal || !account) {
      this.throttle.failed(name, address);
      this.note(by, account, refusal);
      throw loginFailed();
    }
    const hash = outdated ? await this.upgrade(account, password) : account.passwordHash!;
    const pair = await this.sessions.begin(account, hash, by);
    if (!pair) throw loginFailed();
    this.throttle.succeeded(name, address);
    this.note(by, account);
    return pair;
  }

  /** Without the e-mail: people sometimes type their password there. */
  private note(by: Actor, account: Account | undefined, reason?: string): void {
    this.audit.note({
      ...auditedBy(by),
      userId: account?.userId ?? null,
      tenantId: SYSTEM_TENANT,
      action: reason === undefined ? 'auth.login' : 'auth.login-failed',
      outcome: reason === undefined ? 'success' : 'failed',
      reason: reason ?? null,
      resource: account ? `users/${account.userId}` : 'users',
    });
  }

  /** The password is available only now; if there is no time for it, the next login does it. */
  private async upgrade({ userId, passwordHash }: Account, password: string): Promise<string> {
    try {
      const hash = await this.passwords.hash(password);
      const stored = await this.accounts.rehash(userId, passwordHash!, hash);
      return stored ? hash : passwordHash!;
    } catch (err) {
      this.log.warn({ err, userId }, 'a password keeps its old hash until the next login');
      return passwordHash!;
    }
  }

  /** The classes of addresses from which the owner of the account is logged in. */
  private async classesOf(email: string): Promise<ReadonlySet<string>> {
    const account = await this.accounts.findByEmail(email);
    const sessions = account ? await this.sessions.list(account.userId) : [];
    return new Set(sessions.map((session) => addressClass(session.address)));
  }
}

function refusalOf(account: Account | undefined, right: boolean): string | undefined {
  if (!account) return 'unknown-account';
  if (!right) return 'wrong-password';
  return account.state === 'active' ? undefined : account.state;
}

const loginFailed = (): Error => identityError('login-failed', 'E-mail or password is wrong.');
