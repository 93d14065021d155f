import type { PinoLogger } from 'nestjs-pino';
import { PostgresAuditChains } from '../../../src/contexts/audit/adapters/postgres-audit-chains.js';
import { PostgresAuditHeads } from '../../../src/contexts/audit/adapters/postgres-audit-heads.js';
import { PostgresAuditRetentions } from '../../../src/contexts/audit/adapters/postgres-audit-retentions.js';
import { ChainVerifier, type Verdict } from '../../../src/contexts/audit/application/chain-verifier.js';
import { SealRecords } from '../../../src/contexts/audit/application/seal-records.js';
import { TrimChains } from '../../../src/contexts/audit/application/trim-chains.js';
import { AuditRecords, auditedBy, type AuditFaults } from '../../../src/platform/audit/index.js';
import { systemActor } from '../../../src/kernel/aggregate.js';
import type { Database } from '../../../src/platform/postgres/database.js';
import { AUDIT_KEYS, auditTrail } from './audit.js';
import { SetClock } from '../server/log.js';

export const NOW = Date.UTC(2026, 10, 23);
const STILL = new AbortController().signal;

/** The parts of one instance. */
export class Auditor {
  readonly errors: unknown[] = [];
  readonly clock = new SetClock(NOW);
  readonly heads: PostgresAuditHeads;
  readonly retentions: PostgresAuditRetentions;
  readonly chains: PostgresAuditChains;
  readonly seal: SealRecords;
  readonly verifier: ChainVerifier;
  readonly trim: TrimChains;

  constructor(
    readonly database: Database,
    keys = AUDIT_KEYS,
  ) {
    const complain = (...said: unknown[]): void => void this.errors.push(said);
    const log = { warn: complain, error: complain, info: () => undefined } as unknown as PinoLogger;
    const faults = { count: () => undefined } as unknown as AuditFaults;
    this.heads = new PostgresAuditHeads(database, keys);
    this.retentions = new PostgresAuditRetentions(database, keys, this.heads);
    const trail = auditTrail(this.clock, database);
    this.chains = new PostgresAuditChains(database, keys, this.clock, this.heads, trail, new AuditRecords(database));
    this.seal = new SealRecords(this.chains, faults, log);
    this.verifier = new ChainVerifier(this.chains, this.seal, this.retentions, this.heads);
    const settings = { retentionDays: 400 };
    this.trim = new TrimChains(this.chains, this.verifier, this.retentions, this.clock, faults, log, settings);
  }

  async record(tenantId: string, count: number, at = NOW): Promise<void> {
    const trail = auditTrail(new SetClock(at), this.database);
    const actor = auditedBy(systemActor('corr'));
    for (let n = 1; n <= count; n++)
      trail.note({ ...actor, tenantId, action: 'auth.login', outcome: 'success', resource: 'r', after: { n } });
    await trail.close();
  }

  async sealAll(): Promise<void> {
    while (await this.seal.runOnce());
  }

  verify(tenantId: string): Promise<Verdict> {
    return this.verifier.verify(tenantId, STILL);
  }

  /** The result of a verification of everything. */
  async faults(): Promise<string[]> {
    const found: (string | undefined)[] = [];
    for await (const tenantId of this.verifier.tenants()) found.push((await this.verify(tenantId)).broken?.fault);
    found.push((await this.verifier.breakOfHeads())?.fault);
    return found.filter((fault) => fault !== undefined);
  }
}
