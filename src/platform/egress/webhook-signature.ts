import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A Standard Webhooks secret: 256 random bits, base64, with a prefix by which scanners find leaked ones. */
export function generateSigningSecret(random: (bytes: number) => Buffer = randomBytes): string {
  return PREFIX + random(SECRET_BYTES).toString('base64');
}

/**
 * Signs deliveries by Standard Webhooks v1 (HMAC-SHA-256). Several secrets, as during a rotation, give several signatures in the one
 * header; receivers accept any that matches. The keys are made once: decoding them again costs as much as the signature itself.
 */
export class Signer {
  private readonly keys: readonly KeyObject[];

  constructor(secrets: readonly string[]) {
    this.keys = secrets.map(toKey);
  }

  /** The value of `webhook-signature`. `id` holds no full stop; `timestamp` is in seconds and goes into `webhook-timestamp`. */
  sign(id: string, timestamp: number | string, body: string | Buffer): string {
    const head = `${id}.${timestamp}.`;
    return this.keys
      .map((key) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`)
      .join(' ');
  }
}

function toKey(secret: string): KeyObject {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  if (!BASE64.test(encoded)) throw new Error('a signing secret is base64, with the prefix whsec_');
  return createSecretKey(Buffer.from(encoded, 'base64'));
}
