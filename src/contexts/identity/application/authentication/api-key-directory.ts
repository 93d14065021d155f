import { hash, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AddressRanges } from '../../../../kernel/address-ranges.js';
import { Clock } from '../../../../kernel/clock.js';
import { ManagementWatch, WatchedCache } from '../../../../platform/event-log/index.js';
import type { Principal } from '../../../../kernel/access.js';
import { parseApiKey, type ApiKeyParts } from '../../domain/api-key-format.js';
import { identityError } from '../../domain/identity-errors.js';
import { ApiKeyStore, type StoredKey } from '../api-keys/ports.js';
import { KeyMissThrottle } from './key-miss-throttle.js';
import { ApiKeyUsage } from '../api-keys/api-key-usage.js';

const KNOWN_MAX = 50_000;
const PROVEN_MAX = 10_000;
const UNKNOWN_MAX = 10_000;
const UNKNOWN_FOR_MS = 10_000;
/** While the log is not heard of, what the store has said of a key is trusted for as long: it is asked once a second. */
const TRUSTED_FOR_MS = 1_000;
/** How exactly it is known which keys are in use. */
const USED_AGAIN_AFTER_MS = 10_000;
const LOAD_MAX = 1_000;
/** Between two queries while unknown ids are asked for: 10,000 invented keys a second make at most 200 queries. */
const UNKNOWN_PAUSE_MS = 5;

/** Why a key was refused: for the log and the audit. Who sent it learns only that it was. */
export type KeyRefusal = 'malformed' | 'unknown' | 'wrong-secret' | 'expired' | 'rotated' | 'address';

interface Known {
  readonly principal: Principal;
  readonly digest: Buffer;
  readonly endsAt: number;
  readonly previousDigest: Buffer;
  readonly previousEndsAt: number;
  readonly ranges: AddressRanges | undefined;
  readonly loadedAt: number;
  /** When it was last noted that it is in use. */
  usedAt: number;
  /** Something happened to the key or its owner, or it was pushed out. */
  dropped: boolean;
}

/** A text that was found to be a key, and whether it has its present secret or the one before. */
interface Proof {
  readonly known: Known;
  readonly current: boolean;
}

const scratch = Buffer.alloc(64);
const NOBODY = Buffer.from(hash('sha256', 'nobody'), 'latin1');

/**
 * Who a key speaks for. Its end and the address are judged on every request. Checksum (noise is refused without a hash or a query) and
 * secret are judged until they were right once: then the text is remembered, as that of tokens is, which takes 0.2 instead of 2.6 to
 * 3.8 µs in a loop over 200 keys. It is looked up by a hash with a seed of the process, so that nothing can be told of a secret by the
 * time over a network, and forgotten when anything happens to the key. Of more than 10,000 texts the oldest goes.
 *
 * Keys are known by id, loaded on first use, and asked for again from the moment that an event tells of a change; while such events may be
 * missing, the store is asked, too.
 */
@Injectable()
export class ApiKeyDirectory {
  private readonly known: WatchedCache<Known>;
  private readonly proven = new LRUCache<string, Proof>({ max: PROVEN_MAX });
  /** Ids of keys that were known, and were changed or pushed out since: who asks for one of them is not guessing. */
  private readonly met = new LRUCache<string, true>({ max: KNOWN_MAX });
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
        this.met.set(known.principal.id, true);
      },
    });
  }

  /** Undefined: it was not found to be right before, or that may not be trusted. Throws as `verify` does. */
  recall(key: string, address: string): Principal | undefined {
    const proof = this.proven.get(key);
    if (!proof || proof.known.dropped || !this.known.trusts(proof.known)) return undefined;
    return this.admit(proof, address);
  }

  /**
   * Throws, or rejects with, the one `unauthenticated` whatever is wrong with the key; `api-key-throttled` where the address has sent too
   * many that there are not, and this one is none that the instance knows.
   */
  verify(key: string, address: string): Principal | Promise<Principal> {
    const parts = parseApiKey(key);
    if (!parts) throw refused('malformed');
    const { id } = parts;
    const known = this.known.get(id);
    if (known) return this.judge(known, parts, key, address);
    if (this.known.peek(id) || this.met.has(id))
      return this.load(id).then((loaded) => this.judge(loaded, parts, key, address));
    this.throttle.requireRoom(address, id);
    if (known === null) return this.judge(undefined, parts, key, address);
    return this.throttle.asking(address, this.load(id)).then((loaded) => this.judge(loaded, parts, key, address));
  }

  /** Whom a key speaks for, and its bounds, whoever asks; undefined: there is no such key, or it has ended. */
  async principalOf(keyId: string): Promise<Principal | undefined> {
    const remembered = this.known.get(keyId);
    const known = remembered === undefined ? await this.load(keyId) : remembered;
    return known && this.clock.now() < known.endsAt ? known.principal : undefined;
  }

  forget(keyId: string): void {
    this.known.forget(keyId);
  }

  forgetOwner(userId: string): void {
    this.known.forgetThoseOf(userId);
  }

  forgetAll(): void {
    this.known.forgetAll();
  }

  /** Two comparisons in any case, so that the work does not tell which ids exist. */
  private judge(known: Known | undefined, { id, secret }: ApiKeyParts, key: string, address: string): Principal {
    scratch.write(hash('sha256', secret), 'latin1');
    const current = timingSafeEqual(scratch, known?.digest ?? NOBODY);
    const previous = timingSafeEqual(scratch, known?.previousDigest ?? NOBODY);
    if (!known) throw refused('unknown', id);
    if (!current && !previous) {
      // As with an id that there is not, so that nobody learns which ones there are.
      this.throttle.requireRoom(address, id);
      throw refused('wrong-secret', id);
    }
    const proof = { known, current };
    const principal = this.admit(proof, address);
    if (this.known.get(id) === known) this.proven.set(key, proof);
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

  /** So that it is not pushed out. Not on every request: to look for it by id takes longer than the rest of a recall. */
  private noteUse(known: Known, now: number): void {
    known.usedAt = now;
    this.known.get(known.principal.id);
  }

  private async load(id: string): Promise<Known | undefined> {
    const known = await this.known.load(id, () => this.ask(id));
    if (this.known.get(id) === null) this.met.delete(id);
    return known ?? undefined;
  }

  /** Who asks during a query waits for the next one: the answer is never older than the question. */
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
  };
}

function refused(reason: KeyRefusal, keyId?: string): Error {
  const detail = 'The credentials are missing, wrong or expired.';
  return identityError('unauthenticated', detail, {}, { cause: { reason, keyId } });
}
