import { createHmac, type KeyObject } from 'node:crypto';
import {
  Inject,
  Injectable,
  UseInterceptors,
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { of, type Observable } from 'rxjs';
import { Clock } from '../../kernel/clock.js';
import { exhaustedLimit, type LimitLeft } from '../../kernel/limit-left.js';
import { HTTP_SETTINGS, type Settings } from '../config/index.js';
import { KeyRing } from '../crypto/keys.js';
import { Loop } from '../jobs/loop.js';
import { Database, type Statement } from '../postgres/database.js';
import { isPresent, Presence } from '../postgres/presence.js';
import { httpError } from './http-errors.js';
import { IDEMPOTENCY_KEY_RULE, IDEMPOTENCY_KEY_SCHEMA, idempotencyKeyIn } from './idempotency-key.js';
import { KeptResponseShares } from './kept-response-shares.js';
import { noteLimit } from './rate-limit-headers.js';
import type { Reply, Request } from './request.js';

const SWEEP_MS = 3_600_000;
const KEEP_MS = 24 * 3_600_000;
/**
 * After this long a claim has no owner, although the server still holds the connection of the process that made it: its machine is lost.
 */
const ABANDONED_MS = 60_000;
/** Bytes of a row besides its response, including its entries in three indexes. */
const ROW_BYTES = 500;
const FULL_RETRY_SECONDS = 60;
const KEPT_HEADERS = ['location', 'etag', 'content-type'] as const;

/**
 * A claim without a working owner is taken over by the next request of its kind. `$8` is this process, which does not work on it; `$9`:
 * there is no other.
 */
const CLAIM: Statement = {
  name: 'idempotency-claim',
  text: `
INSERT INTO idempotency (principal_id, idempotency_key, fingerprint, state, created_at, holder, bytes, claimed_by)
VALUES ($1, $2, $3, 'started', $4, $7, ${ROW_BYTES}, $8)
ON CONFLICT (principal_id, idempotency_key) DO UPDATE
  SET fingerprint = $3, state = 'started', created_at = $4, holder = $7, bytes = ${ROW_BYTES}, claimed_by = $8
  WHERE idempotency.created_at < $5 OR (idempotency.state = 'started' AND idempotency.fingerprint = $3
    AND (idempotency.created_at < $6 OR idempotency.claimed_by = $8 OR $9::boolean
      OR NOT ${isPresent('idempotency.claimed_by')}))
RETURNING 1 AS claimed`,
};
const READ: Statement = {
  name: 'idempotency-read',
  text: `SELECT fingerprint, state, status, headers, body FROM idempotency
WHERE principal_id = $1 AND idempotency_key = $2 AND created_at >= $3`,
};
/**
 * Only the very claim that was made: a process that was wrongly taken for dead (see presence.ts) leaves alone a claim that was taken over.
 */
const OWN_CLAIM = `WHERE principal_id = $1 AND idempotency_key = $2 AND claimed_by = $3 AND created_at = $4 AND state = 'started'`;
const COMPLETE: Statement = {
  name: 'idempotency-complete',
  text: `UPDATE idempotency SET state = 'done', status = $5, headers = $6, body = $7, bytes = bytes + $8 ${OWN_CLAIM}`,
};
const RELEASE: Statement = { name: 'idempotency-release', text: `DELETE FROM idempotency ${OWN_CLAIM}` };
const SWEEP: Statement = { name: 'idempotency-sweep', text: 'DELETE FROM idempotency WHERE created_at < $1' };

interface Kept {
  readonly fingerprint: string;
  readonly state: 'started' | 'done';
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

interface FirstAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Claim {
  readonly holder: string;
  readonly principalId: string;
  readonly key: string;
  readonly claimedAt: number;
}

const claims = new WeakMap<Request, Claim>();

/**
 * Stores the responses of creating calls for 24 hours, under the caller's own `Idempotency-Key`. How much a tenant may store is limited:
 * beyond it a new key is refused. Rejected: to forget the oldest, which would repeat what was promised to be done once.
 */
@Injectable()
export class Idempotency implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sweeping = new Loop({
    name: 'kept-answers-sweep',
    restsFirst: true,
    every: SWEEP_MS,
    runOnce: () => this.sweep(),
    onError: (err) => this.log.warn({ err }, 'old answers were not removed'),
  });
  /** When this process began with each claim it works on. */
  private readonly underWay = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly keys: KeyRing,
    private readonly shares: KeptResponseShares,
    private readonly presence: Presence,
    @Inject(HTTP_SETTINGS) private readonly settings: Settings['http'],
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeping.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.sweeping.close();
  }

  /** The key of a request, checked; undefined without one. */
  keyOf(request: Request): string | undefined {
    const header = request.headers['idempotency-key'];
    if (header === undefined) return undefined;
    const key = idempotencyKeyIn(header);
    if (key !== undefined) return key;
    throw httpError('idempotency-key-invalid', `Idempotency-Key must be ${IDEMPOTENCY_KEY_RULE}.`, {
      errors: [{ pointer: 'Idempotency-Key', detail: `must be ${IDEMPOTENCY_KEY_RULE}` }],
    });
  }

  /**
   * True: continue, the response will be stored. False: the first response was sent again. For routes that send their responses themselves.
   */
  async begin(request: Request, reply: Reply, key: string): Promise<boolean> {
    const kept = await this.claim(request, key);
    if (kept === undefined) return true;
    void withHeadOf(kept, reply).send(kept.body);
    return false;
  }

  /** Undefined: continue, the response will be stored. Otherwise the first response, to be returned again. */
  async claim(request: Request, key: string): Promise<FirstAnswer | undefined> {
    const principalId = request.principal?.id ?? 'anonymous';
    const fingerprint = fingerprintOf(request, this.keys.key('cursors'));
    const holder = holderOf(request);
    const keptBytes = await this.shares.bytesOf(holder);
    const limit = { policy: 'kept-answers', quota: this.settings.keptAnswersBytesMax, unit: 'content-bytes' } as const;
    noteLimit(request, { ...limit, remaining: limit.quota - keptBytes });
    const full = keptBytes >= limit.quota;
    const claim = { holder, principalId, key, claimedAt: this.clock.now() };
    if (!full && (await this.take(claim, fingerprint))) {
      this.shares.add(holder, ROW_BYTES);
      claims.set(request, claim);
      return undefined;
    }
    const [first] = await this.database.query<Kept>(READ, [principalId, key, claim.claimedAt - KEEP_MS]);
    if (!first && full) throw sharesFull(limit);
    return this.firstAnswer(first, fingerprint, nameOf(principalId, key));
  }

  /** One request of this process at a time asks for it: of two, the database may get the second first. */
  private async take(claim: Claim, fingerprint: string): Promise<boolean> {
    const { holder, principalId, key, claimedAt: now } = claim;
    const name = nameOf(principalId, key);
    if ((this.underWay.get(name) ?? -Infinity) > now - ABANDONED_MS) return false;
    this.underWay.set(name, now);
    const { id, alone } = this.presence;
    const values = [principalId, key, fingerprint, now, now - KEEP_MS, now - ABANDONED_MS, holder, id, alone];
    let taken = false;
    try {
      taken = (await this.database.query(CLAIM, values)).length > 0;
    } finally {
      if (!taken) this.leave(claim);
    }
    return taken;
  }

  /** Unless another request has taken it over since, because this one seemed abandoned. */
  private leave({ principalId, key, claimedAt }: Claim): void {
    const name = nameOf(principalId, key);
    if (this.underWay.get(name) === claimedAt) this.underWay.delete(name);
  }

  private firstAnswer(kept: Kept | undefined, fingerprint: string, context: string): FirstAnswer {
    if (!kept || (kept.state === 'started' && kept.fingerprint === fingerprint)) {
      throw httpError('idempotency-in-progress', 'The first request with this key is still in progress.', {
        retryAfterSeconds: 1,
      });
    }
    if (kept.fingerprint !== fingerprint) {
      throw httpError(
        'idempotency-key-reused',
        'The Idempotency-Key belongs to a request with another body or address.',
      );
    }
    const headers = JSON.parse(kept.headers) as Record<string, string>;
    return { status: kept.status, headers, body: this.keys.decrypt(kept.body, context) };
  }

  /** Stores the response to a claimed request; an error releases the key, so that the call can be repeated. */
  install(fastify: FastifyInstance): void {
    // With a callback: an async hook would cost every request a promise.
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const claim = claims.get(request);
      if (!claim) return done(null, payload);
      claims.delete(request);
      this.keep(claim, reply, payload)
        .finally(() => this.leave(claim))
        .then(() => done(null, payload), done);
    });
  }

  private async keep({ holder, principalId, key, claimedAt }: Claim, reply: Reply, payload: unknown): Promise<void> {
    const own = [principalId, key, this.presence.id, claimedAt];
    if (reply.statusCode >= 400) {
      this.shares.add(holder, -ROW_BYTES);
      await this.database.query(RELEASE, own);
      return;
    }
    const headers = JSON.stringify(Object.fromEntries(KEPT_HEADERS.map((name) => [name, reply.getHeader(name)])));
    // Encrypted: the response to a registration contains a secret.
    const body = this.keys.encrypt(String(payload), nameOf(principalId, key));
    const bytes = headers.length + body.length;
    this.shares.add(holder, bytes);
    await this.database.query(COMPLETE, [...own, reply.statusCode, headers, body, bytes]);
  }

  async sweep(): Promise<void> {
    await this.database.query(SWEEP, [this.clock.now() - KEEP_MS]);
  }
}

const nameOf = (principalId: string, key: string): string => `${principalId} ${key}`;

/** Whose share a response counts against. */
const holderOf = ({ params, principal }: Request): string =>
  (params as { tenantId?: string }).tenantId ?? `user ${principal?.userId}`;

const sharesFull = (limit: Omit<LimitLeft, 'remaining'>): Error =>
  httpError(
    'idempotency-full',
    'Too many responses are kept for 24 hours; send the request without an Idempotency-Key, or later.',
    exhaustedLimit(limit, FULL_RETRY_SECONDS),
  );

/** Keyed: a body may contain a password, which could be guessed quickly from a plain hash. */
function fingerprintOf(request: Request, key: KeyObject): string {
  const body = Buffer.isBuffer(request.body) ? request.body : JSON.stringify(request.body ?? null);
  return createHmac('sha256', key).update(`${request.method} ${request.url}\n`).update(body).digest('base64url');
}

const withHeadOf = ({ status, headers }: FirstAnswer, reply: Reply): Reply =>
  reply.status(status).headers({ ...headers, 'idempotent-replayed': 'true' });

/** Its result is processed like every response: to Nest an empty stream is a failure, which broke the connection. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly idempotency: Idempotency) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<Request>();
    const key = this.idempotency.keyOf(request);
    if (key === undefined) return next.handle();
    const first = await this.idempotency.claim(request, key);
    if (first === undefined) return next.handle();
    withHeadOf(first, context.switchToHttp().getResponse<Reply>());
    return of(first.body);
  }
}

export const IDEMPOTENCY_KEY_HEADER = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key and body get the first response again for 24 h.',
  schema: IDEMPOTENCY_KEY_SCHEMA,
} as const;

/** For every POST that creates. */
export const Idempotent = (): MethodDecorator =>
  applyDecorators(UseInterceptors(IdempotencyInterceptor), ApiHeader(IDEMPOTENCY_KEY_HEADER)) as MethodDecorator;
