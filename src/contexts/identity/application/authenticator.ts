import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { Clock } from '../../../kernel/clock.js';
import { KeyRing } from '../../../platform/crypto/keys.js';
import type { Principal } from '../../../platform/http/request.js';
import { ApiKeyDirectory } from './api-key-directory.js';
import { Credentials } from './ports.js';
import { ISSUER, unauthenticated } from './sessions.js';

/** A verdict is asked for again after the first time and not trusted after the second: a revocation holds everywhere within a second. */
const REFRESH_AFTER_MS = 500;
const TRUSTED_FOR_MS = 1_000;
const REMEMBERED_MAX = 10_000;
const CREDENTIAL_CHARS_MAX = 4_096;

interface Verdict {
  readonly principal: Principal;
  readonly expiresAt: number;
  checkedAt: number;
  checking: Promise<void> | undefined;
}

/**
 * Who is asking. Verdicts on tokens are kept for at most a second, so that a request costs a look into a map instead of a signature
 * (11–20 µs) and a query; while the store is away nobody is trusted for longer than that second. Keys are judged anew each time.
 */
@Injectable()
export class Authenticator {
  private readonly verdicts = new Map<string, Verdict>();

  constructor(
    private readonly credentials: Credentials,
    private readonly apiKeys: ApiKeyDirectory,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /** `address` is where the request comes from: a key may be bound to some. */
  authenticate(
    { authorization, 'x-api-key': apiKey }: IncomingHttpHeaders,
    address: string,
  ): Principal | Promise<Principal> {
    const credential = credentialOf(authorization, apiKey);
    if (credential.startsWith('es_')) return this.apiKeys.verify(credential, address);
    const verdict = this.verdicts.get(credential);
    if (!verdict || verdict.expiresAt <= this.clock.now()) return this.verify(credential);
    const age = performance.now() - verdict.checkedAt;
    if (age > TRUSTED_FOR_MS) return this.verify(credential);
    if (age > REFRESH_AFTER_MS) this.checkAgain(credential, verdict);
    return verdict.principal;
  }

  /** Forgets what it knew of a session, at once. */
  forget(sessionId: string): void {
    for (const [credential, { principal }] of this.verdicts)
      if (principal.sessionId === sessionId) this.verdicts.delete(credential);
  }

  private checkAgain(credential: string, verdict: Verdict): void {
    verdict.checking ??= this.verify(credential)
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => (verdict.checking = undefined));
  }

  private async verify(credential: string): Promise<Principal> {
    try {
      const checkedAt = performance.now();
      const verified = await this.verifyToken(credential);
      this.remember(credential, { ...verified, checkedAt, checking: undefined });
      return verified.principal;
    } catch (error) {
      this.verdicts.delete(credential);
      throw error;
    }
  }

  private remember(credential: string, verdict: Verdict): void {
    if (this.verdicts.size >= REMEMBERED_MAX) this.verdicts.delete(this.verdicts.keys().next().value!);
    this.verdicts.set(credential, verdict);
  }

  private async verifyToken(token: string): Promise<Pick<Verdict, 'principal' | 'expiresAt'>> {
    const { sub, sid, exp } = this.claimsOf(token);
    const session = await this.credentials.findSession(sid);
    if (session?.userId !== sub || session.expiresAt <= this.clock.now()) throw unauthenticated();
    return { principal: { id: sub, kind: 'user', userId: sub, sessionId: sid }, expiresAt: exp * 1_000 };
  }

  private claimsOf(token: string): { sub: string; sid: string; exp: number } {
    try {
      const options = { algorithms: ['HS256' as const], issuer: ISSUER, audience: ISSUER, complete: true as const };
      const { header, payload } = jwt.verify(token, this.keys.key('access-tokens'), options);
      const { sub, sid, exp } = payload as { sub?: unknown; sid?: unknown; exp?: unknown };
      if (header.typ === 'at+jwt' && typeof sub === 'string' && typeof sid === 'string' && typeof exp === 'number')
        return { sub, sid, exp };
    } catch {
      // Whatever is wrong with it, the caller learns the same.
    }
    throw unauthenticated();
  }
}

function credentialOf(authorization: string | undefined, apiKey: string | string[] | undefined): string {
  const bearer = authorization === undefined ? undefined : /^(?:Bearer|ApiKey) ([^\s,]+)$/.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined) throw unauthenticated();
  if (Array.isArray(apiKey) || (apiKey !== undefined && bearer !== undefined)) throw unauthenticated();
  const credential = bearer ?? apiKey;
  if (credential === undefined || credential.length > CREDENTIAL_CHARS_MAX) throw unauthenticated();
  return credential;
}
