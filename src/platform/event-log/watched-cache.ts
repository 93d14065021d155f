import { LRUCache } from 'lru-cache';
import { boundedMap, type BoundedMap } from '../limits/bounded-map.js';
import type { ManagementWatch } from './management-watch.js';

/** Older knowledge is not trusted: a revocation, or a suspension, takes effect everywhere within a second. */
export const TRUSTED_MS = 1_000;

export interface WatchedCacheOptions<V> {
  readonly max: number;
  /** Size limit for all values together, if these differ in size. Each counts for `sizes.max / max` or more, so that `max` holds; a single larger value is kept alone. */
  readonly sizes?: { readonly max: number; readonly of: (value: V) => number };
  /** Keys known to be absent. They are kept separately, so that invented keys do not evict existing ones. */
  readonly absent?: {
    readonly max: number;
    /** How long that is trusted, whatever the watch reports. Undefined: like values. */
    readonly forMs?: number;
  };
  /** What a value depends on besides its key, by id; ids of different kinds differ. */
  readonly dependsOn?: (value: V) => readonly string[];
  /** Which values may be trusted even while the log is out of reach. */
  readonly trustedAnyway?: (value: V) => boolean;
  /** How often a value that takes several reads is read again when events overtake it; then it is returned without being kept. */
  readonly readsMax?: number;
  readonly onKept?: (value: V) => void;
  /** Forgotten or evicted. */
  readonly onDropped?: (value: V) => void;
}

/**
 * The cached read model that guards consult: a loaded value is found without waiting, until an event makes it stale. The sagas of a context
 * say what to forget (`Noticed`, or everything: `Missed`). It keeps three promises:
 *
 * - `get` returns nothing older than an event it knows of. A value that an event overtook while it was read is not kept, since the read may
 *   or may not include the event. Any event counts, because only the read shows what a value depends on.
 * - While the log has been out of reach for a second, no cached value is trusted.
 * - It is bounded; the least recently used is evicted.
 *
 * A load is never shared: a caller that comes during one reads again, so that no result is older than its call.
 */
export class WatchedCache<V extends object> {
  private readonly values: LRUCache<string, V>;
  /** When the key was looked up. */
  private readonly absent: BoundedMap<number> | undefined;
  private readonly keysByDependency = new Map<string, Set<string>>();
  /** Counts invalidations. */
  private changes = 0;

  constructor(
    private readonly watch: Pick<ManagementWatch, 'ageMs'>,
    private readonly options: WatchedCacheOptions<V>,
  ) {
    const { max, sizes, absent } = options;
    const sizeMax = sizes?.max ?? max;
    // Not by `max` of lru-cache, which takes the memory of all entries at once (see boundedMap).
    const leastSize = Math.max(1, Math.floor(sizeMax / max));
    this.values = new LRUCache({
      maxSize: sizeMax,
      sizeCalculation: (value: V) => Math.min(Math.max(leastSize, sizes?.of(value) ?? 1), sizeMax),
      dispose: (value, key) => this.dropped(value, key),
    });
    this.absent = absent && boundedMap(absent.max);
  }

  /** No cached value may be trusted. */
  get stale(): boolean {
    return this.watch.ageMs > TRUSTED_MS;
  }

  /** Null: known to be absent. Undefined: must be loaded. */
  get(key: string): V | null | undefined {
    const value = this.values.get(key);
    if (value === undefined) return this.isAbsent(key) ? null : undefined;
    return this.trusts(value) ? value : undefined;
  }

  /** Whether a value found earlier, and not dropped since, may be trusted now. */
  trusts(value: V): boolean {
    return !this.stale || this.options.trustedAnyway?.(value) === true;
  }

  /** The cached value, however old the knowledge is. */
  peek(key: string): V | undefined {
    return this.values.peek(key);
  }

  async load<R extends V | null>(key: string, read: () => Promise<R>): Promise<R> {
    for (let reads = 1; ; reads++) {
      const { changes } = this;
      const startedAt = performance.now();
      const value = await read();
      if (changes === this.changes) this.keep(key, value, startedAt);
      else if (reads < (this.options.readsMax ?? 1)) continue;
      return value;
    }
  }

  forget(key: string): void {
    this.changes++;
    this.values.delete(key);
    this.absent?.delete(key);
  }

  /** Everything that depends on `id`. Absent keys might, if they existed. */
  forgetDependents(id: string): void {
    this.changes++;
    this.absent?.clear();
    for (const key of this.keysByDependency.get(id) ?? []) this.values.delete(key);
  }

  forgetAll(): void {
    this.changes++;
    this.values.clear();
    this.absent?.clear();
  }

  private isAbsent(key: string): boolean {
    // The oldest entry is evicted first: repeated requests for an absent key do not keep its place.
    const askedAt = this.absent?.peek(key);
    if (askedAt === undefined) return false;
    const forMs = this.options.absent?.forMs;
    return forMs === undefined ? !this.stale : performance.now() - askedAt <= forMs;
  }

  private keep(key: string, value: V | null, askedAt: number): void {
    if (value === null) {
      this.values.delete(key);
      this.absent?.set(key, askedAt);
      return;
    }
    this.absent?.delete(key);
    if (value === this.values.peek(key)) return;
    this.values.delete(key);
    this.values.set(key, value);
    for (const id of this.options.dependsOn?.(value) ?? []) {
      const keys = this.keysByDependency.get(id);
      if (keys) keys.add(key);
      else this.keysByDependency.set(id, new Set([key]));
    }
    this.options.onKept?.(value);
  }

  private dropped(value: V, key: string): void {
    for (const id of this.options.dependsOn?.(value) ?? []) {
      const keys = this.keysByDependency.get(id);
      keys?.delete(key);
      if (keys?.size === 0) this.keysByDependency.delete(id);
    }
    this.options.onDropped?.(value);
  }
}
