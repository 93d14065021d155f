import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'v1';
const KEY_ID_BYTES = 6;
/** The part of the name of a key with which a signature begins. */
export const KEY_ID_CHARACTERS = 8;

export type KeyPurpose =
  'secrets-at-rest' | 'access-tokens' | 'refresh-tokens' | 'passwords' | 'credentials' | 'cursors' | 'audit';

/** A derived key, and the public name that marks what was made with it. */
export interface NamedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * The master key of the installation (`SECRET_KEY`). It is never used itself: each purpose has its own key, derived by HKDF-SHA-256 (RFC 5869),
 * so that a leaked one reveals nothing about the others. To replace it, make it the previous one (`SECRET_KEY_PREVIOUS`): that is not used for
 * anything new, but what was made with it remains valid.
 */
export class KeyRing {
  private readonly derived = new Map<string, NamedKey>();
  private readonly masters: readonly Buffer[];

  constructor(master: Buffer, previous?: Buffer) {
    this.masters = previous ? [master, previous] : [master];
  }

  key(purpose: KeyPurpose): KeyObject {
    return this.named(purpose, 0).key;
  }

  /** The key for everything new. */
  current(purpose: KeyPurpose): NamedKey {
    return this.named(purpose, 0);
  }

  /** All that are accepted, the current one first. */
  accepted(purpose: KeyPurpose): NamedKey[] {
    return this.masters.map((_, i) => this.named(purpose, i));
  }

  private named(purpose: KeyPurpose, i: number): NamedKey {
    const name = `${i} ${purpose}`;
    let known = this.derived.get(name);
    if (!known) {
      const derive = (info: string, bytes: number): Buffer =>
        Buffer.from(hkdfSync('sha256', this.masters[i]!, 'event-store', info, bytes));
      known = {
        id: derive(`${purpose} id`, KEY_ID_BYTES).toString('base64url'),
        key: createSecretKey(derive(purpose, 32)),
      };
      this.derived.set(name, known);
    }
    return known;
  }

  /** AES-256-GCM. `context` is authenticated, not stored: what was encrypted for one row does not decrypt in another. */
  encrypt(plain: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key('secrets-at-rest'), iv).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${FORMAT}.${sealed.toString('base64')}`;
  }

  /** With any of the keys; the authentication detects a wrong one. */
  decrypt(sealed: string, context: string): string {
    const bytes = Buffer.from(sealed.slice(FORMAT.length + 1), 'base64');
    let failure: unknown;
    for (const { key } of this.accepted('secrets-at-rest')) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES));
        return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  /** A short authentication code (128 bits), base64url. */
  mac(text: string, purpose: KeyPurpose = 'cursors'): string {
    return createHmac('sha256', this.key(purpose)).update(text).digest().subarray(0, 16).toString('base64url');
  }

  /** Proves that this installation wrote `text`: `<key>.<HMAC-SHA-256>`. For rows that decide something, and that others could write. */
  sign(text: string, purpose: KeyPurpose): string {
    return signatureOf(text, this.current(purpose));
  }

  /** With any of the keys. */
  isSigned(text: string, signature: string, purpose: KeyPurpose): boolean {
    const named = this.accepted(purpose).find(({ id }) => signature.startsWith(`${id}.`));
    return named !== undefined && equalDigests(signature, signatureOf(text, named));
  }
}

const signatureOf = (text: string, { id, key }: NamedKey): string =>
  `${id}.${createHmac('sha256', key).update(text).digest('base64url')}`;

/** SHA-256, hex. For secrets of at least 112 bits of entropy only (OWASP ASVS 6.5.2): keys and tokens, never passwords. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export function equalDigests(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
