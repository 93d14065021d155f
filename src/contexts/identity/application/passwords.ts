import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import bcrypt from 'bcrypt';
import { SECURITY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { identityError } from '../domain/identity-errors.js';

const CONCURRENT_MAX = 2;
const WAITING_MAX = 32;

/**
 * Password hashes. bcrypt looks at 72 bytes only, so that it is given a SHA-384 of the password (64 characters of base64). A hash keeps
 * a core busy for some 200 ms: at most two run at once, a few wait, and more are refused.
 */
@Injectable()
export class Passwords {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly decoy: Promise<string>;

  constructor(@Inject(SECURITY_SETTINGS) private readonly settings: Settings['security']) {
    this.decoy = this.hash(randomBytes(16).toString('hex'));
  }

  hash(password: string): Promise<string> {
    return this.inTurn(() => bcrypt.hash(digestOf(password), this.settings.bcryptCost));
  }

  /** Takes as long without a hash as with one, so that time does not tell whether an account exists. */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const against = hash ?? (await this.decoy);
    const equal = await this.inTurn(() => bcrypt.compare(digestOf(password), against));
    return equal && hash !== undefined;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= CONCURRENT_MAX) {
      if (this.waiting.length >= WAITING_MAX)
        throw identityError('login-busy', 'Too many logins at once; try again.', { retryAfterSeconds: 2 });
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}

const digestOf = (password: string): string => createHash('sha384').update(password.normalize('NFKC')).digest('base64');
