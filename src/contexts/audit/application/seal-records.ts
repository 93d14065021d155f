import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AuditFaults } from '../../../platform/audit/index.js';
import { Loop } from '../../../platform/jobs/loop.js';
import { throwIfStopped } from '../domain/audit-errors.js';
import { nextPlace, type ChainPlace } from '../domain/chain.js';
import { AuditChains, type LockedChain } from './ports.js';

const SLICE = 200;
const TENANTS = 20;
const IDLE_MS = 1_000;
/** This long after a record was written here its transaction has ended, one way or the other. */
const RECENT_MS = 15_000;
/** The interval for records of other instances that ended before sealing them. */
const ELSEWHERE_MS = 10_000;

/**
 * Adds new records to the chain of their tenant, a slice at a time, outside the requests that wrote them. Several instances may do it: a
 * chain has one sealer at a time. A chain whose ends were tampered with gets no more records, since that would sign the ends again.
 */
@Injectable()
export class SealRecords {
  private readonly loop = new Loop({
    name: 'audit-sealing',
    every: () => (this.recently ? IDLE_MS : ELSEWHERE_MS),
    runOnce: () => this.runOnce(),
    onError: (err) => this.complain(err),
  });
  private readonly broken = new Set<string>();
  private recordedAt = performance.now();

  constructor(
    private readonly chains: AuditChains,
    private readonly faults: AuditFaults,
    private readonly log: PinoLogger,
  ) {}

  start(): void {
    this.loop.start();
  }

  close(): Promise<void> {
    return this.loop.close();
  }

  /** Something is being recorded here: from now on there may be records to seal. */
  onRecord(): void {
    const resting = !this.recently;
    this.recordedAt = performance.now();
    if (resting) this.loop.nudge();
  }

  /** Seals one slice of each waiting tenant; false when nothing was sealed. A chain that fails does not delay the others. */
  async runOnce(): Promise<boolean> {
    let sealed = 0;
    for (let page = [''], after = ''; page.length > 0; after = page.at(-1)!) {
      page = await this.chains.unsealedTenants(after, TENANTS);
      for (const tenantId of page) sealed += await this.sealSlice(tenantId).catch(this.complain);
      if (page.length < TENANTS) break;
    }
    return sealed > 0;
  }

  /** Seals all current records of a tenant; waits for another sealer of its chain. */
  async sealAll(tenantId: string, signal: AbortSignal): Promise<void> {
    do throwIfStopped(signal);
    while ((await this.sealSlice(tenantId, 'wait')) === SLICE);
  }

  private async sealSlice(tenantId: string, whenLocked: 'skip' | 'wait' = 'skip'): Promise<number> {
    const places = (await this.chains.withLock(tenantId, (locked) => this.extend(locked), whenLocked)) ?? [];
    // Logs are kept elsewhere: compared with them, a chain that was replaced as a whole is detected.
    const head = places.at(-1);
    if (head) this.log.info({ tenantId, seq: head.seq, hash: head.hash }, 'audit sealed');
    return places.length;
  }

  private async extend(locked: LockedChain): Promise<ChainPlace[]> {
    if (!locked.intact) {
      this.report(locked.chain.tenantId);
      return [];
    }
    this.broken.delete(locked.chain.tenantId);
    let place: ChainPlace = locked.chain.head;
    const places = (await locked.unsealed(SLICE)).map(({ auditId, text }) => {
      place = nextPlace(place, text);
      return { ...place, auditId };
    });
    if (places.length > 0) await locked.seal(places);
    return places;
  }

  /** Once, not in every round. */
  private report(tenantId: string): void {
    if (this.broken.has(tenantId)) return;
    this.broken.add(tenantId);
    this.faults.count('chain-broken');
    this.log.error({ tenantId }, 'an audit chain was tampered with at its ends: its records are not sealed any more');
  }

  private readonly complain = (error: unknown): 0 => {
    this.log.warn({ err: error }, 'audit records could not be sealed; will try again');
    return 0;
  };

  private get recently(): boolean {
    return performance.now() - this.recordedAt < RECENT_MS;
  }
}
