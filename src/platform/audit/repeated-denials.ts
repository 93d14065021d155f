import { addressClass } from '../http/address-class.js';
import { Window } from '../limits/window.js';
import { toRow, type AuditRecord, type AuditRow } from './audit-record.js';

const SINGLE_MAX = 10;
const WINDOW_MS = 60_000;
/** Of windows and of rows that count, together: some 40 MB at most. */
const KEPT_MAX = 10_000;

/** Its count is that of the records of their own. */
class Denials extends Window {
  /** By what was refused, and why; undefined where none was counted yet. */
  readonly kinds = new Map<string, AuditRow | undefined>();
}

/**
 * Keeps a flood of refusals from flooding the audit: of one actor's in a tenant the first ten in a minute are records of their own, whatever
 * he asks for, and the first of each action and reason; the rest of the minute becomes one record for each action and reason, with their
 * number. Who asks chooses the resources, so that they tell nothing apart. Who shows no valid credentials is known by where he comes from.
 * Failed logins count for each account, since that is what one wants to know of them; how many there can be is bounded where they are made.
 */
export class RepeatedDenials {
  /** All windows have the same length, so that their order is that in which they end. */
  private readonly windows = new Map<string, Denials>();
  private kept = 0;
  private over: AuditRow[] = [];

  /** Whether windows are open. */
  get watching(): boolean {
    return this.windows.size > 0 || this.over.length > 0;
  }

  /** True: a record of its own. False: it was counted. */
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

  /** What was counted in windows that are over at `now`; each is answered once. */
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

  /** From the oldest on. */
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

/** The row for one more. Its resource is what all of them have in common. */
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
