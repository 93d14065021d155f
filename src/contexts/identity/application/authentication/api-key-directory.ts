import { hash, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AddressRanges } from '../../../../kernel/address-ranges.js';
import { Clock } from '../../../../kernel/clock.js';
import { ManagementWatch, WatchedCache } from '../../../../platform/event-log/index.js';
import type { Principal } from '../../../../kernel/access.js';
import { boundedMap } from '../../../../platform/limits/bounded-map.js';
import { parseApiKey, type ApiKeyParts } from '../../domain/api-key-format.js';
import { identityError } from '../../domain/identity-errors.js';
import { ApiKeyStore, type StoredKey } from '../api-keys/ports.js';
import { KeyMissThrottle } from './key-miss-throttle.js';
import { ApiKeyUsage } from '../api-keys/api-key-usage.js';

const KNOWN_MAX = 50_000;
const PROVEN_MAX = 10_000;
const UNKNOWN_MAX = 10_000;
const UNKNOWN_FOR_MS = 10_000;
/** While the event log cannot be followed, a result of the store is trusted this long: the store is queried once a second. */
const TRUSTED_FOR_MS = 1_000;
/** The precision of knowing which keys are in use. */
const USED_AGAIN_AFTER_MS = 10_000;
const LOAD_MAX = 1_000;
/** The pause between two queries while unknown ids are requested: 10,000 invented keys a second cause at most 200 queries. */
const UNKNOWN_PAUSE_MS = 5;

/** Why a key was refused, for the log and the audit. The sender learns only that it was. */
export type KeyRefusal = 'malformed' | 'unknown' | 'wrong-secret' | 'expired' | 'rotated' | 'address';

interface Known {
  readonly principal: Principal;
  readonly digest: Buffer;
  readonly endsAt: number;
  readonly previousDigest: Buffer;
  readonly previousEndsAt: number;
  readonly ranges: AddressRanges | undefined;
  readonly loadedAt: number;
  /** When its use was last recorded. */
  usedAt: number;
  /** The key or its owner has changed, or it was evicted. */
  dropped: boolean;
  /** Under which it was verified: with the current secret, and with the previous one. */
  readonly texts: string[];
}

/** A text that was verified as a key, and whether it has the current secret or the previous one. */
interface Proof {
  readonly known: Known;
  readonly current: boolean;
}

const scratch = Buffer.alloc(64);
const NOBODY = Buffer.from(hash('sha256', 'nobody'), 'latin1');

/**
 * Finds the owner of a key. Expiry and address are checked on every request. Checksum (noise is refused without a hash or a query) and secret
 * are checked until they were right once. Then the text is cached, as for tokens, which takes 0.2 instead of 2.6 to 3.8 µs in a loop over 200
 * keys. It is looked up by a hash with a seed of the process, so that timing over a network reveals nothing of a secret. It is forgotten when
 * anything happens to the key, and the oldest goes beyond 10,000 texts.
 *
 * Keys are cached by id, loaded on first use, and loaded again after an event about a change, or while such events may be missing.
 */
@Injectable()
export class ApiKeyDirectory {
  private readonly known: WatchedCache<Known>;
  private readonly proven = boundedMap<Proof>(PROVEN_MAX);
  /** Ids of keys that were known, and have changed or were evicted since: a client that uses one is not guessing. */
  private readonly formerIds = boundedMap<true>(KNOWN_MAX);
  private asked = new Map<string, PromiseWithResolvers<Known | null>>();
  private asking = false;

  constructor(
    private readonly keys: ApiKeyStore,
    private readonly usage: ApiKeyUsage,
    private readonly throttle: KeyMissThrottle,
    watch: ManagementWatch,
    private readonly clock: Clock,
  ) {
    this.known = new WatchedCache(watch, {
      max: KNOWN_MAX,
      absent: { max: UNKNOWN_MAX, forMs: UNKNOWN_FOR_MS },
      dependsOn: ({ principal }) => [principal.userId],
      trustedAnyway: ({ loadedAt }) => performance.now() - loadedAt <= TRUSTED_FOR_MS,
      onDropped: (known) => {
        known.dropped = true;
        this.formerIds.set(known.principal.id, true);
        for (const text of known.texts) this.proven.delete(text);
      },
    });
  }

  /** Undefined: it has not been verified before, or that cannot be trusted any more. Throws as `verify` does. */
  recall(key: string, address: string): Principal | undefined {
    const proof = this.proven.get(key);
    if (!proof || proof.known.dropped || !this.known.trusts(proof.known)) return undefined;
    return this.admit(proof, address);
  }

  /**
   * Throws, or rejects with, the same `unauthenticated` whatever is wrong with the key; `api-key-throttled` if the address has sent too many
   * unknown keys, and this instance does not know this one either.
   */
  verify(key: string, address: string): Principal | Promise<Principal> {
    const parts = parseApiKey(key);
    if (!parts) throw refused('malformed');
    const { id } = parts;
    const known = this.known.get(id);
    if (known) return this.checkSecret(known, parts, key, address);
    if (this.known.peek(id) || this.formerIds.has(id))
      return this.load(id).then((loaded) => this.checkSecret(loaded, parts, key, address));
    this.throttle.requireCapacity(address, id);
    if (known === null) return this.checkSecret(undefined, parts, key, address);
    return this.throttle
      .countLookup(address, this.load(id))
      .then((loaded) => this.checkSecret(loaded, parts, key, address));
  }

  /** The owner and the bounds of a key, for any caller; undefined: there is no such key, or it has expired. */
  async principalOf(keyId: string): Promise<Principal | undefined> {
    const remembered = this.known.get(keyId);
    const known = remembered === undefined ? await this.load(keyId) : remembered;
    return known && this.clock.now() < known.endsAt ? known.principal : undefined;
  }

  forget(keyId: string): void {
    this.known.forget(keyId);
  }

  forgetOwner(userId: string): void {
    this.known.forgetDependents(userId);
  }

  forgetAll(): void {
    this.known.forgetAll();
  }

  /** Always two comparisons, so that the time does not show which ids exist. */
  private checkSecret(known: Known | undefined, { id, secret }: ApiKeyParts, key: string, address: string): Principal {
    scratch.write(hash('sha256', secret), 'latin1');
    const current = timingSafeEqual(scratch, known?.digest ?? NOBODY);
    const previous = timingSafeEqual(scratch, known?.previousDigest ?? NOBODY);
    if (!known) throw refused('unknown', id);
    if (!current && !previous) {
      // As for an unknown id, so that no one learns which ones exist.
      this.throttle.requireCapacity(address, id);
      throw refused('wrong-secret', id);
    }
    const proof = { known, current };
    const principal = this.admit(proof, address);
    if (this.known.get(id) === known) {
      if (!known.texts.includes(key)) known.texts.push(key);
      this.proven.set(key, proof);
    }
    return principal;
  }

  private admit({ known, current }: Proof, address: string): Principal {
    const { principal, ranges } = known;
    const now = this.clock.now();
    if (now >= (current ? known.endsAt : known.previousEndsAt))
      throw refused(current ? 'expired' : 'rotated', principal.id);
    if (ranges && !ranges.contains(address)) throw refused('address', principal.id);
    this.usage.note(principal.id, now, address);
    if (now - known.usedAt > USED_AGAIN_AFTER_MS) this.noteUse(known, now);
    return principal;
  }

  /** Keeps a key from eviction. Not on every request: the lookup by id takes longer than the rest of `recall`. */
  private noteUse(known: Known, now: number): void {
    known.usedAt = now;
    this.known.get(known.principal.id);
  }

  private async load(id: string): Promise<Known | undefined> {
    const known = await this.known.load(id, () => this.ask(id));
    if (this.known.get(id) === null) this.formerIds.delete(id);
    return known ?? undefined;
  }

  /** Callers during a query wait for the next one: a result is never older than the call. */
  private ask(id: string): Promise<Known | null> {
    let answer = this.asked.get(id);
    if (!answer) this.asked.set(id, (answer = Promise.withResolvers()));
    if (!this.asking) void this.askStore();
    return answer.promise;
  }

  private async askStore(): Promise<void> {
    this.asking = true;
    while (this.asked.size > 0) {
      const batch = [...this.asked].slice(0, LOAD_MAX);
      for (const [id] of batch) this.asked.delete(id);
      const loadedAt = performance.now();
      try {
        const stored = await this.keys.forAuthentication(batch.map(([id]) => id));
        const found = new Map(stored.map((key) => [key.keyId, toKnown(key, loadedAt)]));
        for (const [id, answer] of batch) answer.resolve(found.get(id) ?? null);
        if (found.size < batch.length) await pause(UNKNOWN_PAUSE_MS);
      } catch (error) {
        for (const [, answer] of batch) answer.reject(error);
      }
    }
    this.asking = false;
  }
}

function toKnown(key: StoredKey, loadedAt: number): Known {
  const { keyId: id, userId, version: keyVersion, scopes, actions, allowedCidrs } = key;
  const ceiling = scopes || actions ? { scopes, actions } : undefined;
  return {
    principal: Object.freeze({
      id,
      kind: 'api-key',
      userId,
      keyVersion,
      ...(ceiling && { ceiling: Object.freeze(ceiling) }),
    }),
    digest: Buffer.from(key.digest, 'latin1'),
    endsAt: key.expiresAt ?? Infinity,
    previousDigest: key.previousDigest === null ? NOBODY : Buffer.from(key.previousDigest, 'latin1'),
    previousEndsAt: key.previousEndsAt ?? -Infinity,
    ranges: allowedCidrs ? new AddressRanges(allowedCidrs) : undefined,
    loadedAt,
    usedAt: -Infinity,
    dropped: false,
    texts: [],
  };
}

function refused(reason: KeyRefusal, keyId?: string): Error {
  const detail = 'The credentials are missing, wrong or expired.';
  return identityError('unauthenticated', detail, {}, { cause: { reason, keyId } });
}
