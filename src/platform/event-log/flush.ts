import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/domain-error.js';
import type { Pipeline } from '../postgres/pipeline.js';
import { asDomainError, unavailable, type Sql } from '../postgres/database.js';
import { isTransient, isUnprepared, isUnreachable, violatedKey } from '../postgres/sql-state.js';
import { placeKey, planAppends, type AppendPlan, type KnownEnd } from './append-plan.js';
import { UnexpectedLogEnd, type AppendStore } from './append-store.js';
import type { AppendRequest, StoredEvent } from './event.js';
import { logError } from './log-errors.js';

const RETRY_PAUSE_MS = 100;

/** The flushes of a tenant in progress, one behind the other. */
export interface FlushLine {
  readonly tenantId: string;
  readonly pipeline: Pipeline;
  /** Resolves when those before this one are done, and the first tries of those behind it are over. */
  untilAlone(flush: Flush): Promise<void>;
}

export interface FlushResult extends AppendPlan {
  /** The ends were contended: another instance appends to these topics as well. */
  readonly contended: boolean;
}

/**
 * One flush of one tenant, with as many tries as it needs:
 *
 *   optimistic ── unique key refuses a position ──▶ locked (ends read again under the head locks)
 *       │    └── id exists ──▶ the same again, with the ids looked up
 *       └── a request would be refused ──▶ locked: a refusal never depends on a cached end
 *       └── the log does not end as planned ──▶ locked; with the ids looked up if other topics have been stored
 *   any ── connection lost ──▶ locked, with the ids looked up: the lost try may have been committed
 *
 * The first try may be sent behind another flush, planned as if that were stored already; the statement checks that it is. Every other try
 * begins alone.
 */
export class Flush {
  private readonly first = Promise.withResolvers<void>();
  private sent = false;
  private lookUpIds = false;
  private contended = false;
  /** The rows of the last try, and the places that tries whose reply was lost may have filled. */
  private tried: AppendPlan['rows'] = new Map();
  private readonly ours = new Set<string>();
  private readonly uids: readonly string[];

  constructor(
    private readonly store: AppendStore,
    private readonly line: FlushLine,
    private readonly requests: readonly AppendRequest[],
    private readonly clock: Clock,
    private locked: boolean,
  ) {
    this.uids = [...new Set(requests.map(({ topicUid }) => topicUid))];
  }

  /** Its statement has been passed to the pipeline, and is expected to succeed. */
  get mayBeFollowed(): boolean {
    return this.sent && this.store.hasCached(this.uids);
  }

  /** Resolves when the first try is over, successful or not. */
  get firstTry(): Promise<void> {
    return this.first.promise;
  }

  async run(patienceMs: number): Promise<FlushResult> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      this.tried = new Map();
      try {
        const plan = (this.locked ? undefined : await this.optimistic()) ?? (await this.underLock());
        return { ...plan, contended: this.contended };
      } catch (error) {
        this.store.forget(this.uids);
        const again = this.adapt(error);
        const refused = violatedKey(error) !== undefined || error instanceof UnexpectedLogEnd;
        if (!again || (!refused && performance.now() > deadline)) throw this.failure(error);
        await this.stepOut();
        if (!refused) await pause(RETRY_PAUSE_MS);
      } finally {
        this.first.resolve();
      }
    }
  }

  /** Flushes sent behind it must not treat it as stored; those sent before it must be complete. */
  private async stepOut(): Promise<void> {
    this.sent = false;
    this.first.resolve();
    await this.line.untilAlone(this);
  }

  /** What the next try does differently; false: another try is useless. */
  private adapt(error: unknown): boolean {
    const key = violatedKey(error);
    if (key !== undefined) {
      // The ends were read under the lock: if a position or version is taken nevertheless, the log is damaged.
      if (this.locked && (this.lookUpIds || key !== 'event_id_key')) return false;
      this.contended = key !== 'event_id_key';
      this.locked = this.contended || this.lookUpIds;
      this.lookUpIds = this.lookUpIds || key === 'event_id_key';
      return true;
    }
    if (error instanceof UnexpectedLogEnd) {
      if (this.locked) return false; // it was read under the lock: the log is damaged
      this.locked = true;
      if (error.partly) this.mayBeStored();
      return true;
    }
    if (!isUnprepared(error) && !isUnreachable(error) && !isTransient(error)) return false;
    this.locked = true;
    if (!isUnprepared(error)) this.mayBeStored();
    return true;
  }

  private mayBeStored(): void {
    this.lookUpIds = true;
    for (const [uid, rows] of this.tried)
      for (const { id, position } of rows) this.ours.add(placeKey(uid, id, position));
  }

  /** Once a reply was lost, no later error can show that nothing is stored. */
  private failure(error: unknown): unknown {
    if (this.ours.size === 0) return asDomainError(error);
    return unavailable(error, 'The store is away; whether the events were stored is not known.');
  }

  private async optimistic(): Promise<AppendPlan | undefined> {
    const ends = await this.store.cachedEnds(this.line.tenantId, this.uids);
    const plan = await this.plan(this.store.connection, ends);
    if (plan.outcomes.some((outcome) => outcome instanceof DomainError)) {
      this.locked = true;
      return undefined;
    }
    return this.insert(plan, ends);
  }

  private async underLock(): Promise<AppendPlan> {
    await this.stepOut();
    let ends = new Map<string, KnownEnd>();
    const plan = await this.store.locked(this.line.tenantId, this.uids, async (sql) => {
      ends = await this.store.readEnds(sql, this.line.tenantId, this.uids);
      let planned = await this.plan(sql, ends);
      if (!this.lookUpIds && this.refusesGivenId(planned)) {
        this.lookUpIds = true;
        planned = await this.plan(sql, ends);
      }
      this.tried = planned.rows;
      if (planned.rows.size > 0) await this.store.insert(sql, this.line.tenantId, planned.rows, ends);
      return planned;
    });
    this.store.advance(ends, plan.rows);
    return plan;
  }

  /** A refused request may repeat one that was stored, which must get the same result as the first time. */
  private refusesGivenId({ outcomes }: AppendPlan): boolean {
    return outcomes.some(
      (outcome, i) => outcome instanceof DomainError && this.requests[i]!.events.some(({ idGiven }) => idGiven),
    );
  }

  private async plan(sql: Sql, ends: Map<string, KnownEnd>): Promise<AppendPlan> {
    await this.store.readStreams(sql, this.requests, ends);
    const known = this.lookUpIds
      ? await this.store.readKnown(sql, this.requests)
      : new Map<string, Map<string, StoredEvent>>();
    return planAppends({ requests: this.requests, ends, known, ours: this.ours, now: this.clock.now() });
  }

  private async insert(plan: AppendPlan, ends: Map<string, KnownEnd>): Promise<AppendPlan> {
    if (plan.rows.size === 0) return plan;
    this.tried = plan.rows;
    const inserted = this.store.insert(this.line.pipeline, this.line.tenantId, plan.rows, ends);
    // For the next flush, which follows this one while it is in progress.
    this.store.advance(ends, plan.rows);
    this.sent = true;
    const gone = await inserted;
    if (gone.size === 0) return plan;
    this.store.forget([...gone]);
    const rows = new Map([...plan.rows].filter(([uid]) => !gone.has(uid)));
    const outcomes = plan.outcomes.map((outcome, i) =>
      gone.has(this.requests[i]!.topicUid) ? logError('log-gone', 'The topic does not exist (any more).') : outcome,
    );
    return { outcomes, rows };
  }
}
