import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { newId } from '../../../kernel/ids.js';
import { ADMIN_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { digest } from '../../../platform/crypto/keys.js';
import { newApiKey } from '../domain/api-key.js';
import { Passwords } from './passwords.js';
import { Credentials } from './ports.js';

export interface FirstAccess {
  readonly email: string;
  /** Undefined where the operator chose it: it is not shown again. */
  readonly password: string | undefined;
  readonly apiKey: string;
}

/** Creates the one administrator and an API key when the store is empty. */
@Injectable()
export class FirstAdministrator {
  constructor(
    private readonly credentials: Credentials,
    private readonly passwords: Passwords,
    private readonly clock: Clock,
    @Inject(ADMIN_SETTINGS) private readonly settings: Settings['admin'],
  ) {}

  /** What is to be shown once; undefined: the store has an administrator. */
  async create(): Promise<FirstAccess | undefined> {
    if (await this.credentials.anyAccount()) return undefined;
    const chosen = this.settings.password?.reveal();
    const password = chosen ?? randomBytes(18).toString('base64url');
    const email = this.settings.email.toLowerCase();
    const { id, secret, key } = newApiKey('live');
    const account = {
      userId: newId('usr'),
      email,
      name: 'Administrator',
      passwordHash: await this.passwords.hash(password),
    };
    const created = await this.credentials.createFirst(
      account,
      { id, digest: digest(secret), name: 'first key' },
      this.clock.now(),
    );
    return created ? { email, password: chosen === undefined ? password : undefined, apiKey: key } : undefined;
  }
}
