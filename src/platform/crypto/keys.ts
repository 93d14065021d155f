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

export type KeyPurpose = 'secrets-at-rest' | 'access-tokens' | 'cursors' | 'audit';

/**
 * The master key of the installation (`SECRET_KEY`). It is never used itself: each purpose has a key of its own, derived by
 * HKDF-SHA-256 (RFC 5869), so that one that leaks tells nothing of the others.
 */
export class KeyRing {
  private readonly derived = new Map<KeyPurpose, KeyObject>();

  constructor(private readonly master: Buffer) {}

  key(purpose: KeyPurpose): KeyObject {
    let key = this.derived.get(purpose);
    if (!key) {
      key = createSecretKey(Buffer.from(hkdfSync('sha256', this.master, 'event-store', purpose, 32)));
      this.derived.set(purpose, key);
    }
    return key;
  }

  /** AES-256-GCM. `context` is authenticated, not stored: what was encrypted for one row does not decrypt in another. */
  encrypt(plain: string, context: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key('secrets-at-rest'), iv).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${FORMAT}.${sealed.toString('base64')}`;
  }

  decrypt(sealed: string, context: string): string {
    const bytes = Buffer.from(sealed.slice(FORMAT.length + 1), 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.key('secrets-at-rest'), bytes.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }

  /** A short authentication code (128 bits), base64url. */
  mac(text: string, purpose: KeyPurpose = 'cursors'): string {
    return createHmac('sha256', this.key(purpose)).update(text).digest().subarray(0, 16).toString('base64url');
  }
}

/** SHA-256, hex. For secrets of at least 112 bits of entropy only (OWASP ASVS 6.5.2): keys and tokens, never passwords. */
export const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export function equalDigests(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
