import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { systemActor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { DomainError } from '../../../../kernel/domain-error.js';
import { newTimelessId } from '../../../../kernel/ids.js';
import { ADMIN_SETTINGS, SettingsError, STORAGE_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { digest } from '../../../../platform/crypto/keys.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { writeDurably } from '../../../../platform/postgres/embedded/index.js';
import { newApiKey } from '../../domain/api-key-format.js';
import { normalizeEmail } from '../../domain/email.js';
import { createUser } from '../../domain/user.js';
import { Passwords } from '../passwords/passwords.js';
import { UserAccounts, type FirstKey } from './ports.js';

/** Long enough to create other keys with it. */
const KEY_LIFETIME_MS = 30 * 24 * 3_600_000;
const KEY_FILE = 'admin.key';
const NAME = 'Administrator';

export interface InitialCredentials {
  readonly email: string;
  /** Undefined if the operator chose it: it is not shown again. */
  readonly password: string | undefined;
  /** Only if the operator asked for it. */
  readonly apiKey: string | undefined;
  /** The file that it was written to instead; undefined: no key was created. */
  readonly apiKeyFile: string | undefined;
}

/**
 * Creates the first administrator when the store is empty. Its API key is printed only on request, since log collectors keep what is printed.
 * Otherwise the embedded store, which has its own directory, gets the key as a file. With an external store there is no key, and the
 * administrator logs in.
 */
@Injectable()
export class FirstAdministrator {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly passwords: Passwords,
    private readonly clock: Clock,
    private readonly log: PinoLogger,
    @Inject(ADMIN_SETTINGS) private readonly settings: Settings['admin'],
    @Inject(STORAGE_SETTINGS) private readonly storage: Settings['storage'],
  ) {}

  /** What must be shown once; undefined: the store already has an administrator. */
  async create(): Promise<InitialCredentials | undefined> {
    if (await this.accounts.any()) return undefined;
    const chosen = this.settings.password?.reveal();
    const password = chosen ?? randomBytes(18).toString('base64url');
    const email = normalizeEmail(this.settings.email);
    if (chosen !== undefined) await this.checkPassword(chosen, [email, NAME]);
    const account = {
      kind: 'human' as const,
      email,
      name: NAME,
      passwordHash: await this.passwords.hash(password),
    };
    const { apiKey, apiKeyFile, stored } = await this.makeKey();
    const repository = this.accounts.creatingFirst(account, stored);
    const ref = { userId: newTimelessId('usr') };
    try {
      await this.aggregates.change(repository, ref, systemActor(randomUUID()), (state) =>
        createUser(state, ref, 'human', false),
      );
    } catch (error) {
      // Another instance was faster, and shows its own.
      if (error instanceof DomainError && error.code === 'user-exists') return undefined;
      throw error;
    }
    return { email, password: chosen === undefined ? password : undefined, apiKey, apiKeyFile };
  }

  private async checkPassword(password: string, known: string[]): Promise<void> {
    const refusal = await this.passwords.problemOf(password, known);
    if (refusal === undefined) return;
    const problem = `admin.password (ADMIN_PASSWORD) ${refusal}`;
    if (!this.settings.weakPassword) throw new SettingsError([problem]);
    this.log.warn({ problem }, 'the password of the administrator breaks the password rules: production refuses it');
  }

  private async makeKey(): Promise<Pick<InitialCredentials, 'apiKey' | 'apiKeyFile'> & { readonly stored?: FirstKey }> {
    const shown = this.settings.apiKey;
    if (!shown && this.storage.databaseUrl) return { apiKey: undefined, apiKeyFile: undefined };
    const { id, secret, key } = newApiKey('live');
    const stored = { id, digest: digest(secret), name: 'first key', expiresAt: this.clock.now() + KEY_LIFETIME_MS };
    if (shown) return { apiKey: key, apiKeyFile: undefined, stored };
    const apiKeyFile = resolve(this.storage.dataDir, KEY_FILE);
    // Before the key is valid: a crash in between leaves a file that the next start replaces, not a valid key that no one has.
    await writeDurably(apiKeyFile, `${key}\n`);
    return { apiKey: undefined, apiKeyFile, stored };
  }
}
