import { addressClass } from '../http/address-class.js';
import { Window } from '../limits/window.js';
import { toRow, type AuditRecord, type AuditRow } from './audit-record.js';

const SINGLE_MAX = 10;
const WINDOW_MS = 60_000;
/** Windows and counting rows together: some 40 MB at most. */
const KEPT_MAX = 10_000;

/** Its count is the number of separate records. */
class Denials extends Window {
  /** By action and reason; undefined if none was counted yet. */
  readonly kinds = new Map<string, AuditRow | undefined>();
}

/**
 * Keeps a flood of refusals from flooding the audit: of an actor's refusals in a tenant, the first ten in a minute are separate records,
 * whatever was requested, and so is the first of each action and reason; the rest of the minute becomes one record for each action and
 * reason, with their number. The caller chooses the resources, so they do not separate anything. Callers without valid credentials are
 * identified by their address. Failed logins count per account, since that is the question of interest; where they are made limits their
 * number.
 */
export class RepeatedDenials {
  /** All windows have the same length, so their order is the order in which they end. */
  private readonly windows = new Map<string, Denials>();
  private kept = 0;
  private over: AuditRow[] = [];

  /** Whether windows are open. */
  get watching(): boolean {
    return this.windows.size > 0 || this.over.length > 0;
  }

  /** True: record it separately. False: it was counted. */
  admit(record: AuditRecord, now: number): boolean {
    if (record.outcome === 'success') return true;
    this.end((window) => window.isOver(now) || this.kept >= KEPT_MAX);
    const window = this.windowOf(record, now);
    const kind = JSON.stringify([record.action, record.outcome, record.reason]);
    const known = window.kinds.has(kind);
    if (!known) this.kept++;
    if (!known || window.count < SINGLE_MAX) {
      window.count++;
      window.kinds.set(kind, undefined);
      return true;
    }
    const row = window.kinds.get(kind);
    window.kinds.set(kind, row ? joined(row, record.resource) : toRow(record, now));
    return false;
  }

  /** The counts of windows that are over at `now`; each is returned once. */
  due(now: number): AuditRow[] {
    this.end((window) => window.isOver(now));
    const due = this.over;
    this.over = [];
    return due;
  }

  private windowOf(record: AuditRecord, now: number): Denials {
    const key = keyOf(record);
    let window = this.windows.get(key);
    if (!window) {
      window = new Denials(now, WINDOW_MS);
      this.windows.set(key, window);
      this.kept++;
    }
    return window;
  }

  /** Starting with the oldest. */
  private end(isOver: (window: Denials) => boolean): void {
    for (const [key, window] of this.windows) {
      if (!isOver(window)) return;
      this.windows.delete(key);
      this.kept -= 1 + window.kinds.size;
      for (const row of window.kinds.values()) if (row) this.over.push(row);
    }
  }
}

function keyOf({ tenantId, actorKind, actorId, address, outcome, resource }: AuditRecord): string {
  const actor = actorKind === 'anonymous' ? `from ${addressClass(address ?? '')}` : actorId;
  return JSON.stringify(outcome === 'failed' ? [tenantId, actor, resource] : [tenantId, actor]);
}

/** The row for one more. Its resource is the common part of all. */
function joined(row: AuditRow, resource: string): AuditRow {
  const times = row.times + 1;
  return row.resource === resource
    ? { ...row, times }
    : { ...row, times, resource: commonPath(row.resource, resource) };
}

/** `tenants/acme` of `tenants/acme/namespaces/a` and `tenants/acme/namespaces/b/topics/c`. */
function commonPath(one: string, other: string): string {
  const [left, right] = [one.split('/'), other.split('/')];
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  return left.slice(0, same - (same % 2)).join('/') || 'system';
}
