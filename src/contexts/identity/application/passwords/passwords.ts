import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { HashingThreads } from '../../../../platform/crypto/hashing-threads.js';
import { KeyRing, type NamedKey } from '../../../../platform/crypto/keys.js';
import { Semaphore } from '../../../../platform/limits/semaphore.js';
import { identityError } from '../../domain/identity-errors.js';
import { normalizePassword, passwordProblem } from '../../domain/password-rules.js';
import { CommonPasswords } from './common-passwords.js';

/** One core is left for everything else. */
export const HASHES_AT_ONCE = Math.min(2, Math.max(1, availableParallelism() - 1));
const WAITING_MAX = 32;
const WAIT_MS_MAX = 2_000;
const HASH = /^v1\$([\w-]+)\$(\$2[aby]\$(\d\d)\$.+)$/;

export interface Verification {
  readonly right: boolean;
  /** It was hashed with another cost or key than the current ones. */
  readonly outdated: boolean;
}

/**
 * Password hashes: `v1$<key>$<bcrypt>`. bcrypt uses the first 72 bytes only. So it gets an HMAC-SHA-384 of the password under a key of the
 * installation (64 characters of base64): nothing is cut off, and a stolen table is useless without the key. A hash keeps a core busy for some
 * 200 ms, in a thread of low priority: at most two run at once, one on two cores, a few wait, and more are refused.
 */
@Injectable()
export class Passwords {
  private readonly line = new Semaphore(HASHES_AT_ONCE);

  constructor(
    private readonly keys: KeyRing,
    private readonly common: CommonPasswords,
    private readonly threads: HashingThreads,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  /** Throws if the password may not be chosen. `known` is what others know of the account. */
  async requireAcceptable(password: string, known: readonly (string | null)[], pointer: string): Promise<void> {
    const refusal = await this.problemOf(password, known);
    if (refusal !== undefined)
      throw identityError('password-refused', `The password ${refusal}.`, { errors: [{ pointer, detail: refusal }] });
  }

  /** Why the password may not be chosen; undefined: it may. */
  async problemOf(password: string, known: readonly (string | null)[]): Promise<string | undefined> {
    const common = await this.common.load();
    const lengthMin = this.settings.passwordLengthMin;
    return passwordProblem(password, { lengthMin, known, isCommon: (candidate) => common.has(candidate) });
  }

  async hash(password: string): Promise<string> {
    const pepper = this.keys.current('passwords');
    const hashed = await this.inTurn(() => this.threads.hash(peppered(password, pepper), this.settings.bcryptCost));
    return `v1$${pepper.id}$${hashed}`;
  }

  /** Without a hash it takes as long as with a current one, so that timing does not show whether an account exists. */
  async verify(password: string, hash: string | null | undefined): Promise<Verification> {
    const known = HASH.exec(hash ?? '');
    const [, keyId, bcrypted = '', cost] = known ?? HASH.exec(this.decoy())!;
    const pepper = this.keys.accepted('passwords').find(({ id }) => id === keyId) ?? this.keys.current('passwords');
    const equal = await this.inTurn(() => this.threads.compare(peppered(password, pepper), bcrypted));
    const current = keyId === this.keys.current('passwords').id && Number(cost) === this.settings.bcryptCost;
    return { right: equal && known !== null, outdated: !current };
  }

  /** A hash of no password, which takes as long to compare as any other. */
  private decoy(): string {
    const digits = randomBytes(40).toString('base64').replaceAll('+', '.').slice(0, 53);
    return `v1$${this.keys.current('passwords').id}$$2b$${String(this.settings.bcryptCost).padStart(2, '0')}$${digits}`;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!this.line.tryAcquire() && (this.line.waiting >= WAITING_MAX || !(await this.line.wait(WAIT_MS_MAX))))
      throw identityError('login-busy', 'Too many logins at once; try again.', { retryAfterSeconds: 2 });
    try {
      return await work();
    } finally {
      this.line.release();
    }
  }
}

const peppered = (password: string, { key }: NamedKey): string =>
  createHmac('sha384', key).update(normalizePassword(password)).digest('base64');
