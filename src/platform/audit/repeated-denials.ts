import type { AuditRecord } from './audit-record.js';

const SINGLE_MAX = 10;
const WINDOW_MS = 60_000;
const WINDOWS_MAX = 10_000;

/** Equal denials that are told by one record. */
export interface Repeated {
  readonly record: AuditRecord;
  /** Of the first of them. */
  readonly occurredAt: number;
  readonly times: number;
}

interface Window {
  readonly endsAt: number;
  seen: number;
  counted: { readonly record: AuditRecord; readonly occurredAt: number; times: number } | undefined;
}

/**
 * Keeps a flood of refusals from flooding the audit: of those with the same tenant, actor, address, action, outcome and resource the
 * first ten in a minute are records of their own, the rest of the minute becomes one with their number.
 */
export class RepeatedDenials {
  /** All windows have the same length, so that their order is that in which they end. */
  private readonly windows = new Map<string, Window>();
  private over: Repeated[] = [];

  /** Whether windows are open. */
  get watching(): boolean {
    return this.windows.size > 0 || this.over.length > 0;
  }

  /** True: a record of its own. False: it was counted. */
  admit(record: AuditRecord, now: number): boolean {
    if (record.outcome === 'success') return true;
    this.end((window) => window.endsAt <= now);
    const key = keyOf(record);
    const window = this.windows.get(key);
    if (!window) {
      if (this.windows.size >= WINDOWS_MAX) this.endFirst();
      this.windows.set(key, { endsAt: now + WINDOW_MS, seen: 1, counted: undefined });
      return true;
    }
    if (++window.seen <= SINGLE_MAX) return true;
    if (window.counted) window.counted.times += 1;
    else window.counted = { record, occurredAt: now, times: 1 };
    return false;
  }

  /** What was counted in windows that are over at `now`; each is answered once. */
  due(now: number): Repeated[] {
    this.end((window) => window.endsAt <= now);
    const due = this.over;
    this.over = [];
    return due;
  }

  private end(isOver: (window: Window) => boolean): void {
    for (const window of this.windows.values()) {
      if (!isOver(window)) return;
      this.endFirst();
    }
  }

  private endFirst(): void {
    const [key, { counted }] = this.windows.entries().next().value!;
    this.windows.delete(key);
    if (counted) this.over.push(counted);
  }
}

const keyOf = ({ tenantId, actorId, address, action, outcome, resource }: AuditRecord): string =>
  JSON.stringify([tenantId, actorId, address, action, outcome, resource]);
