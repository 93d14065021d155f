import { hash, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AddressRanges } from '../../../../kernel/address-ranges.js';
import { Clock } from '../../../../kernel/clock.js';
import { ManagementWatch } from '../../../../platform/event-log/index.js';
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
/** A key is not trusted on knowledge that is older: a revocation holds everywhere within a second. */
const TRUSTED_FOR_MS = 1_000;
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
  /** Something happened to the key or its owner, or it is not watched any more: the store is asked. That there was such a key stays known. */
  outdated: boolean;
  /** What was found to be this key. */
  readonly texts: Set<string>;
  /** Since the hand of the clock came by: what is used survives the next round. */
  used: boolean;
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
  private readonly known = new Map<string, Known>();
  private readonly proven = new Map<string, Proof>();
  private readonly unknown = new Map<string, number>();
  private asked = new Map<string, PromiseWithResolvers<Known | undefined>>();
  private loading = false;
  /** Counts what was forgotten: what was read before is not kept afterwards. */
  private generation = 0;

  constructor(
    private readonly keys: ApiKeyStore,
    private readonly usage: ApiKeyUsage,
    private readonly throttle: KeyMissThrottle,
    private readonly watch: ManagementWatch,
    private readonly clock: Clock,
  ) {}

  /** Undefined: it was not found to be right before, or that may not be trusted. Throws as `verify` does. */
  recall(key: string, address: string): Principal | undefined {
    const proof = this.proven.get(key);
    if (!proof || !this.isTrusted(proof.known)) return undefined;
    proof.known.used = true;
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
    if (known && this.isTrusted(known)) {
      known.used = true;
      return this.judge(known, parts, key, address);
    }
    if (known) return this.load(id).then((loaded) => this.judge(loaded, parts, key, address));
    this.throttle.requireRoom(address, id);
    if (this.isUnknown(id)) return this.judge(undefined, parts, key, address);
    return this.throttle.asking(address, this.load(id)).then((loaded) => this.judge(loaded, parts, key, address));
  }

  /** Whom a key speaks for, and its bounds, whoever asks; undefined: there is no such key, or it has ended. */
  async principalOf(keyId: string): Promise<Principal | undefined> {
    if (this.isUnknown(keyId)) return undefined;
    const remembered = this.known.get(keyId);
    const known = remembered && this.isTrusted(remembered) ? remembered : await this.load(keyId);
    return known && this.clock.now() < known.endsAt ? known.principal : undefined;
  }

  forget(keyId: string): void {
    this.generation++;
    this.outdate(this.known.get(keyId));
    this.unknown.delete(keyId);
  }

  /** Something about the owner changed; whose the unknown ones would have been is not known. */
  forgetOwner(userId: string): void {
    this.generation++;
    this.unknown.clear();
    for (const known of this.known.values()) if (known.principal.userId === userId) this.outdate(known);
  }

  forgetAll(): void {
    this.generation++;
    this.unknown.clear();
    for (const known of this.known.values()) this.outdate(known);
  }

  private outdate(known: Known | undefined): void {
    if (!known) return;
    known.outdated = true;
    for (const text of known.texts) this.proven.delete(text);
    known.texts.clear();
  }

  private isTrusted({ loadedAt, outdated }: Known): boolean {
    if (outdated) return false;
    return this.watch.ageMs <= TRUSTED_FOR_MS || performance.now() - loadedAt <= TRUSTED_FOR_MS;
  }

  private isUnknown(id: string): boolean {
    const since = this.unknown.get(id);
    return since !== undefined && performance.now() - since <= UNKNOWN_FOR_MS;
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
    if (this.known.get(id) === known) this.keepProof(key, proof);
    return principal;
  }

  private admit({ known, current }: Proof, address: string): Principal {
    const { principal, ranges } = known;
    const now = this.clock.now();
    if (now >= (current ? known.endsAt : known.previousEndsAt))
      throw refused(current ? 'expired' : 'rotated', principal.id);
    if (ranges && !ranges.contains(address)) throw refused('address', principal.id);
    this.usage.note(principal.id, now, address);
    return principal;
  }

  private keepProof(key: string, proof: Proof): void {
    if (this.proven.size >= PROVEN_MAX) {
      const [oldest, { known }] = this.proven.entries().next().value!;
      this.proven.delete(oldest);
      known.texts.delete(oldest);
    }
    this.proven.set(key, proof);
    proof.known.texts.add(key);
  }

  /** Who asks during a query waits for the next one: the answer is never older than the question. */
  private load(id: string): Promise<Known | undefined> {
    let answer = this.asked.get(id);
    if (!answer) this.asked.set(id, (answer = Promise.withResolvers()));
    if (!this.loading) void this.loadAsked();
    return answer.promise;
  }

  private async loadAsked(): Promise<void> {
    this.loading = true;
    while (this.asked.size > 0) {
      const batch = [...this.asked].slice(0, LOAD_MAX);
      for (const [id] of batch) this.asked.delete(id);
      const { generation } = this;
      const loadedAt = performance.now();
      try {
        const stored = await this.keys.forAuthentication(batch.map(([id]) => id));
        const found = new Map(stored.map((key) => [key.keyId, toKnown(key, loadedAt)]));
        for (const [id, answer] of batch) {
          if (generation === this.generation) this.remember(id, found.get(id), loadedAt);
          answer.resolve(found.get(id));
        }
        if (found.size < batch.length) await pause(UNKNOWN_PAUSE_MS);
      } catch (error) {
        for (const [, answer] of batch) answer.reject(error);
      }
    }
    this.loading = false;
  }

  private remember(id: string, known: Known | undefined, loadedAt: number): void {
    this.drop(id);
    this.unknown.delete(id);
    if (known) {
      this.makeRoom();
      this.known.set(id, known);
      return;
    }
    if (this.unknown.size >= UNKNOWN_MAX) this.unknown.delete(this.unknown.keys().next().value!);
    this.unknown.set(id, loadedAt);
  }

  /** The clock algorithm: like LRU, but a hit costs one assignment instead of a move to the end. */
  private makeRoom(): void {
    while (this.known.size >= KNOWN_MAX) {
      const [id, oldest] = this.known.entries().next().value!;
      if (!oldest.used) return this.drop(id);
      this.known.delete(id);
      oldest.used = false;
      this.known.set(id, oldest);
    }
  }

  /** No event about it would reach it any more. */
  private drop(id: string): void {
    this.outdate(this.known.get(id));
    this.known.delete(id);
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
    outdated: false,
    used: false,
    texts: new Set(),
  };
}

function refused(reason: KeyRefusal, keyId?: string): Error {
  const detail = 'The credentials are missing, wrong or expired.';
  return identityError('unauthenticated', detail, {}, { cause: { reason, keyId } });
}
