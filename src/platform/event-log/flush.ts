import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/domain-error.js';
import { asDomainError, unavailable, type Sql } from '../postgres/database.js';
import { isTransient, isUnreachable, violatedKey } from '../postgres/sql-state.js';
import { placeKey, planAppends, type AppendPlan, type LogEnd } from './append-plan.js';
import { EndTooHigh, type AppendStore } from './append-store.js';
import type { AppendRequest, StoredEvent } from './event.js';
import { logError } from './log-errors.js';

const RETRY_PAUSE_MS = 100;

export interface FlushResult extends AppendPlan {
  /** The ends were contended: another instance appends to these topics too. */
  readonly contended: boolean;
}

/**
 * One flush of one tenant, as often as it takes:
 *
 *   optimistic ── unique key refuses a position ──▶ locked (ends read anew under the head locks)
 *       │    └── id exists ──▶ the same again, with the ids looked up
 *       └── a request would be refused ──▶ locked: a refusal never rests on a cached end
 *       └── the log is shorter than its cached end ──▶ locked, with the ids looked up: other topics may have been stored
 *   any ── connection lost ──▶ locked, with the ids looked up: the lost try may have been committed
 */
export class Flush {
  private lookUpIds = false;
  private contended = false;
  /** What the last try was to insert, and the places that tries whose reply was lost may have filled. */
  private tried: AppendPlan['rows'] = new Map();
  private readonly ours = new Set<string>();
  private readonly uids: readonly string[];

  constructor(
    private readonly store: AppendStore,
    private readonly tenantId: string,
    private readonly requests: readonly AppendRequest[],
    private readonly clock: Clock,
    private locked: boolean,
  ) {
    this.uids = [...new Set(requests.map(({ topicUid }) => topicUid))];
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
        const refused = violatedKey(error) !== undefined;
        if (!again || (!refused && performance.now() > deadline)) throw this.failure(error);
        if (!refused) await pause(RETRY_PAUSE_MS);
      }
    }
  }

  /** What the next try does differently; false: there is no use in another. */
  private adapt(error: unknown): boolean {
    const key = violatedKey(error);
    if (key !== undefined) {
      // The ends were read under the lock: a position or version that is taken nevertheless means a damaged log, not a rival.
      if (this.locked && (this.lookUpIds || key !== 'event_id_key')) return false;
      this.contended = key !== 'event_id_key';
      this.locked = this.contended || this.lookUpIds;
      this.lookUpIds = this.lookUpIds || key === 'event_id_key';
      return true;
    }
    if (!isUnreachable(error) && !isTransient(error) && !(error instanceof EndTooHigh)) return false;
    this.locked = true;
    this.lookUpIds = true;
    for (const [uid, rows] of this.tried)
      for (const { id, position } of rows) this.ours.add(placeKey(uid, id, position));
    return true;
  }

  /** Once a reply was lost, no later error can tell that nothing is stored. */
  private failure(error: unknown): unknown {
    if (this.ours.size === 0) return asDomainError(error);
    return unavailable(error, 'The store is away; whether the events were stored is not known.');
  }

  private async optimistic(): Promise<AppendPlan | undefined> {
    const ends = await this.store.cachedEnds(this.tenantId, this.uids);
    const plan = await this.plan(this.store.connection, ends);
    if (plan.outcomes.some((outcome) => outcome instanceof DomainError)) {
      this.locked = true;
      return undefined;
    }
    return this.insert(this.store.connection, plan, ends);
  }

  private async underLock(): Promise<AppendPlan> {
    let ends = new Map<string, LogEnd>();
    const plan = await this.store.locked(this.tenantId, this.uids, async (sql) => {
      ends = await this.store.readEnds(sql, this.tenantId, this.uids);
      let planned = await this.plan(sql, ends);
      if (!this.lookUpIds && this.refusesGivenId(planned)) {
        this.lookUpIds = true;
        planned = await this.plan(sql, ends);
      }
      this.tried = planned.rows;
      if (planned.rows.size > 0) await this.store.insert(sql, this.tenantId, planned.rows);
      return planned;
    });
    this.store.advance(ends, plan.rows);
    return plan;
  }

  /** A refused request may be the repetition of one that was stored, which is answered as the first time. */
  private refusesGivenId({ outcomes }: AppendPlan): boolean {
    return outcomes.some(
      (outcome, i) => outcome instanceof DomainError && this.requests[i]!.events.some(({ idGiven }) => idGiven),
    );
  }

  private async plan(sql: Sql, ends: Map<string, LogEnd>): Promise<AppendPlan> {
    await this.store.readStreams(sql, this.requests, ends);
    const known = this.lookUpIds
      ? await this.store.readKnown(sql, this.requests)
      : new Map<string, Map<string, StoredEvent>>();
    return planAppends({ requests: this.requests, ends, known, ours: this.ours, now: this.clock.now() });
  }

  private async insert(sql: Sql, plan: AppendPlan, ends: Map<string, LogEnd>): Promise<AppendPlan> {
    if (plan.rows.size === 0) return plan;
    this.tried = plan.rows;
    const gone = await this.store.insert(sql, this.tenantId, plan.rows);
    const rows = new Map([...plan.rows].filter(([uid]) => !gone.has(uid)));
    this.store.advance(ends, rows);
    if (gone.size === 0) return plan;
    this.store.forget([...gone]);
    const outcomes = plan.outcomes.map((outcome, i) =>
      gone.has(this.requests[i]!.topicUid) ? logError('log-gone', 'The topic does not exist (any more).') : outcome,
    );
    return { outcomes, rows };
  }
}
