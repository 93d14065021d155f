import { LRUCache } from 'lru-cache';
import { boundedMap, type BoundedMap } from '../limits/bounded-map.js';
import type { ManagementWatch } from './management-watch.js';

/** Older knowledge is not acted on: a revocation, or a suspension, holds everywhere within a second. */
export const TRUSTED_MS = 1_000;

export interface WatchedCacheOptions<V> {
  readonly max: number;
  /** Of all values together, if they differ in size. Each counts for `sizes.max / max` or more, so that `max` holds; a single larger value is kept alone. */
  readonly sizes?: { readonly max: number; readonly of: (value: V) => number };
  /** Keys of which it is known that there is nothing: apart, so that whoever invents some pushes out nothing that there is. */
  readonly absent?: {
    readonly max: number;
    /** How long that is trusted, whatever the watch says. Undefined: as values are. */
    readonly forMs?: number;
  };
  /** What a value comes from besides its key, by id; ids of different kinds differ. */
  readonly dependsOn?: (value: V) => readonly string[];
  /** What may be trusted even while the log is not heard of. */
  readonly trustedAnyway?: (value: V) => boolean;
  /** How often a value is read that is put together from several reads, while events overtake it; then it is good for this once. */
  readonly readsMax?: number;
  readonly onKept?: (value: V) => void;
  /** Forgotten, or pushed out. */
  readonly onDropped?: (value: V) => void;
}

/**
 * The cached read model that guards consult: what is loaded once is found without waiting, until an event makes it old. The sagas of a
 * context tell it what to forget (`Noticed`, or all of it: `Missed`). It keeps three promises:
 *
 * - `get` returns nothing that is older than an event of which it was told. What an event overtook while it was read is not kept: whether
 *   the event is in it is not known. Any event counts, since whom a value will concern is known only when it has been read.
 * - While the log was not heard of for a second, nothing that is remembered is trusted.
 * - It is bounded; what was not asked for longest goes.
 *
 * A load is never shared: who asks while one is under way asks again, so that no answer is older than its question.
 */
export class WatchedCache<V extends object> {
  private readonly values: LRUCache<string, V>;
  /** When it was asked. */
  private readonly absent: BoundedMap<number> | undefined;
  private readonly keysByDependency = new Map<string, Set<string>>();
  /** Counts what was forgotten. */
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

  /** Nothing that is remembered may be trusted. */
  get stale(): boolean {
    return this.watch.ageMs > TRUSTED_MS;
  }

  /** Null: it is known that there is nothing. Undefined: it has to be loaded. */
  get(key: string): V | null | undefined {
    const value = this.values.get(key);
    if (value === undefined) return this.isAbsent(key) ? null : undefined;
    return this.trusts(value) ? value : undefined;
  }

  /** Whether a value that was found before, and was not dropped since, may be trusted now. */
  trusts(value: V): boolean {
    return !this.stale || this.options.trustedAnyway?.(value) === true;
  }

  /** What is remembered, however old the knowledge is. */
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

  /** What depends on `id`. What is absent might have, if it were there. */
  forgetThoseOf(id: string): void {
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
    // The oldest answer goes first: to ask on for what there is not keeps no place.
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
