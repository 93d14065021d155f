import { Injectable } from '@nestjs/common';
import { KEY_ID_CHARACTERS } from '../../../platform/crypto/keys.js';
import { Database, type Statement } from '../../../platform/postgres/database.js';
import {
  CredentialRows,
  type CredentialKind,
  type CredentialCursor,
  type SignedPage,
} from '../application/authentication/ports.js';
import {
  CredentialSignatures,
  credentialTexts,
  type SignedKey,
  type SignedPassword,
  type SignedReset,
  type SignedSession,
} from './credential-signatures.js';

const PAGE = 500;
/** Sorts after all key ids. */
const LAST = '~';

const API_KEYS: Statement = {
  name: 'api-keys-to-sign',
  text: `
SELECT key_id AS id, signature, key_id AS "keyId", user_id AS "userId", digest, previous_digest AS "previousDigest",
  previous_ends_at AS "previousEndsAt", scopes, actions, allowed_cidrs AS "allowedCidrs", expires_at AS "expiresAt"
FROM api_key WHERE (left(signature, 8), key_id) > ($1, $2) AND left(signature, 8) < $3 ORDER BY left(signature, 8), key_id LIMIT $4`,
};
const PASSWORDS: Statement = {
  name: 'passwords-to-sign',
  text: `
SELECT user_id AS id, password_signature AS signature, user_id AS "userId", password_hash AS "passwordHash" FROM user_account
WHERE password_hash IS NOT NULL AND (left(password_signature, 8), user_id) > ($1, $2) AND left(password_signature, 8) < $3
ORDER BY left(password_signature, 8), user_id LIMIT $4`,
};
const RESETS: Statement = {
  name: 'password-resets-to-sign',
  text: `
SELECT digest AS id, signature, user_id AS "userId", digest, expires_at AS "expiresAt"
FROM password_reset WHERE (left(signature, 8), digest) > ($1, $2) AND left(signature, 8) < $3 ORDER BY left(signature, 8), digest LIMIT $4`,
};
const SESSIONS: Statement = {
  name: 'sessions-to-sign',
  text: `
SELECT session_id AS id, signature, session_id AS "sessionId", user_id AS "userId", seed, expires_at AS "expiresAt"
FROM session WHERE (left(signature, 8), session_id) > ($1, $2) AND left(signature, 8) < $3
ORDER BY left(signature, 8), session_id LIMIT $4`,
};

/** Every writer of signed columns signs again: a row whose signature has not changed since it was read has not changed. */
const SIGN_API_KEYS = `
UPDATE api_key SET signature = s.signature FROM unnest($1::text[], $2::text[], $3::text[]) AS s (id, was, signature)
WHERE api_key.key_id = s.id AND api_key.signature = s.was`;
const SIGN_PASSWORDS = `
UPDATE user_account SET password_signature = s.signature FROM unnest($1::text[], $2::text[], $3::text[]) AS s (id, was, signature)
WHERE user_account.user_id = s.id AND user_account.password_signature = s.was`;
const SIGN_RESETS = `
UPDATE password_reset SET signature = s.signature FROM unnest($1::text[], $2::text[], $3::text[]) AS s (id, was, signature)
WHERE password_reset.digest = s.id AND password_reset.signature = s.was`;
const SIGN_SESSIONS = `
UPDATE session SET signature = s.signature FROM unnest($1::text[], $2::text[], $3::text[]) AS s (id, was, signature)
WHERE session.session_id = s.id AND session.signature = s.was`;

interface Row {
  readonly id: string;
  readonly signature: string;
}

interface Kind {
  readonly read: Statement;
  readonly sign: string;
  readonly textOf: (row: never) => string;
}

const KINDS: Readonly<Record<CredentialKind, Kind>> = {
  'api-key': { read: API_KEYS, sign: SIGN_API_KEYS, textOf: (row: SignedKey) => credentialTexts.apiKey(row) },
  password: { read: PASSWORDS, sign: SIGN_PASSWORDS, textOf: (row: SignedPassword) => credentialTexts.password(row) },
  reset: { read: RESETS, sign: SIGN_RESETS, textOf: (row: SignedReset) => credentialTexts.reset(row) },
  session: { read: SESSIONS, sign: SIGN_SESSIONS, textOf: (row: SignedSession) => credentialTexts.session(row) },
};

/** An index orders the rows by key id, and skips those of the current key, however many there are. */
@Injectable()
export class PostgresCredentialRows extends CredentialRows {
  constructor(
    private readonly database: Database,
    private readonly signatures: CredentialSignatures,
  ) {
    super();
  }

  async signPage(kind: CredentialKind, after: CredentialCursor | undefined): Promise<SignedPage> {
    const { read, sign, textOf } = KINDS[kind];
    const { keyId } = this.signatures;
    const from = after ?? { signedWith: '', id: '' };
    const last = from.signedWith < keyId ? keyId : LAST;
    const rows = await this.database.query<Row>(read, [from.signedWith, from.id, last, PAGE]);
    const signed = rows.filter((row) => this.signatures.fits(textOf(row as never), row.signature));
    if (signed.length > 0) {
      const values = [
        signed.map(({ id }) => id),
        signed.map(({ signature }) => signature),
        signed.map((row) => this.signatures.sign(textOf(row as never))),
      ];
      await this.database.transaction((sql) => sql.query(sign, values));
    }
    const end = rows.at(-1);
    const beyond = last === LAST ? undefined : { signedWith: keyId, id: LAST };
    const next =
      rows.length === PAGE ? { signedWith: end!.signature.slice(0, KEY_ID_CHARACTERS), id: end!.id } : beyond;
    return { renewed: signed.length, refused: rows.length - signed.length, next };
  }
}
