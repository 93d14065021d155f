import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { ManagementWatch } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../platform/http/request.js';
import { ApiKeyDirectory } from './api-key-directory.js';
import { authorizationStale } from '../domain/identity-errors.js';
import { isOver } from '../domain/session.js';
import { SessionStore, UserAccounts } from './ports.js';
import { unauthenticated } from './sessions.js';
import { Tokens } from './tokens.js';

/** Verdicts are not acted on while what has changed may be older than this: a revocation holds everywhere within a second. */
const TRUSTED_MS = 1_000;
const REMEMBERED_MAX = 10_000;
const CREDENTIAL_CHARS_MAX = 4_096;
/** How exactly the last use of a session is noted. */
const TOUCH_EVERY_MS = 5 * 60_000;

interface Verdict {
  readonly principal: Principal;
  readonly expiresAt: number;
  touchAt: number;
}

/**
 * Who is asking. A verdict is kept until something happens to its user or session, of which the management log tells: so a request
 * costs a look into a map instead of a signature (11–20 µs) and two queries. Once the log was not heard of for a second, nothing that is
 * remembered is used: the store is asked, and where that fails nobody is let in. Keys are remembered by the `ApiKeyDirectory`.
 */
@Injectable()
export class Authenticator {
  /** By the header as it was sent, so that a request that is known makes no new string. */
  private readonly verdicts = new Map<string, Verdict>();
  private changes = 0;

  constructor(
    private readonly users: UserAccounts,
    private readonly apiKeys: ApiKeyDirectory,
    private readonly sessions: SessionStore,
    private readonly tokens: Tokens,
    private readonly watch: ManagementWatch,
    private readonly clock: Clock,
  ) {}

  /** `address` is where the request comes from: a key may be bound to some. */
  authenticate(
    { authorization, 'x-api-key': apiKey }: IncomingHttpHeaders,
    address: string,
  ): Principal | Promise<Principal> {
    const verdict = apiKey === undefined && authorization !== undefined ? this.verdicts.get(authorization) : undefined;
    if (verdict && this.watch.ageMs <= TRUSTED_MS) {
      const now = this.clock.now();
      if (now < verdict.expiresAt) {
        if (now >= verdict.touchAt) this.touch(verdict, now);
        return verdict.principal;
      }
    }
    const credential = credentialOf(authorization, apiKey);
    return credential.startsWith('es_')
      ? this.apiKeys.verify(credential, address)
      : this.verify(authorization!, credential);
  }

  forget(concerned: (principal: Principal) => boolean): void {
    this.changes++;
    for (const [header, { principal }] of this.verdicts) if (concerned(principal)) this.verdicts.delete(header);
  }

  private async verify(header: string, token: string): Promise<Principal> {
    const stale = this.watch.ageMs > TRUSTED_MS;
    const before = this.changes;
    try {
      const verified = await this.verifyToken(token);
      if (!(await this.users.isActive(verified.principal.userId))) throw unauthenticated();
      if (this.clock.now() >= verified.touchAt) this.touch(verified, this.clock.now());
      // What changed while it was looked up may not be in it; it is good for this once.
      if (before === this.changes) this.remember(header, verified);
      return verified.principal;
    } catch (error) {
      if (stale && error instanceof DomainError && error.kind === 'unavailable') throw authorizationStale(error);
      throw error;
    }
  }

  private remember(header: string, verified: Verdict): void {
    if (this.verdicts.size >= REMEMBERED_MAX) this.verdicts.delete(this.verdicts.keys().next().value!);
    this.verdicts.set(header, verified);
  }

  private async verifyToken(token: string): Promise<Verdict> {
    const claims = this.tokens.verifyAccess(token);
    if (!claims) throw unauthenticated();
    const { userId, sessionId, rotation, expiresAt } = claims;
    const session = await this.sessions.find(sessionId);
    const now = this.clock.now();
    if (session?.userId !== userId || isOver(session, now)) throw unauthenticated();
    // Whoever uses the pair that a refresh gave has got it: the refresh need not be repeated any more.
    if (session.rotatedAt !== null && session.rotation === rotation) await this.sessions.confirm(sessionId, rotation);
    return {
      principal: { id: userId, kind: 'user', userId, sessionId },
      expiresAt: Math.min(expiresAt, session.expiresAt),
      touchAt: session.lastUsedAt + TOUCH_EVERY_MS,
    };
  }

  private touch(verdict: Verdict, now: number): void {
    verdict.touchAt = now + TOUCH_EVERY_MS;
    // It is noted again in five minutes; a request does not fail for it.
    this.sessions.touch(verdict.principal.sessionId!, now).catch(() => undefined);
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
