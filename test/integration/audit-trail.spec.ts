import { once } from 'node:events';
import { MANAGEMENT_TOPICS, type Actor, type Aggregate } from '../../src/kernel/aggregate.js';
import { DomainError } from '../../src/kernel/domain-error.js';
import { auditedBy, type AuditRecord } from '../../src/platform/audit/index.js';
import { AggregateRepository, Aggregates } from '../../src/platform/event-log/index.js';
import { unavailable } from '../../src/platform/postgres/database.js';
import { auditTrail } from '../support/api/audit.js';
import { openInstance, readAll, SetClock, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const LOG = { tenantId: '$system', topicUid: MANAGEMENT_TOPICS.topics };

type LampEvent = { type: 'lamp.switched'; data: { on: boolean } } | { type: 'lamp.named'; data: { name: string } };
interface LampState {
  readonly on: boolean;
  readonly name?: string;
}

const lamp: Aggregate<LampState, LampEvent, string> = {
  topicUid: LOG.topicUid,
  eventTypes: { 'lamp.switched': { version: 1 }, 'lamp.named': { version: 1 } },
  initial: { on: false },
  streamOf: (ref) => `lamp/${ref}`,
  tenantOf: () => 'acme',
  resourceOf: (ref) => `tenants/acme/lamps/${ref}`,
  evolve: (state, { data }) => ({ ...state, ...data }),
};

class Lamps extends AggregateRepository<LampState, LampEvent, string> {
  readonly aggregate = lamp;
  failure: Error | undefined;

  project(): Promise<void> {
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}

const actor: Actor = {
  id: 'key_1',
  correlationId: 'corr-1',
  traceparent: null,
  tracestate: null,
  origin: { address: '10.0.0.1', userAgent: 'curl', route: 'POST /lamps', userId: 'usr_1' },
};
const login = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  ...auditedBy(actor),
  tenantId: '$system',
  action: 'auth.login',
  outcome: 'success',
  resource: 'users/usr_1',
  ...fields,
});

describe('the audit trail', () => {
  let store: TestDatabase;
  let instance: Instance;
  const clock = new SetClock(1_000);

  beforeAll(async () => {
    store = await createTestDatabase();
    instance = await openInstance(store.connection, { shared: false });
  });
  afterAll(async () => {
    await instance.close();
    await store.drop();
  });

  const records = (resource: string): Promise<Record<string, unknown>[]> =>
    store.database.query(
      {
        name: 'test-records',
        text: 'SELECT * FROM audit_record WHERE resource = $1 ORDER BY audit_id',
      },
      [resource],
    );

  describe('of aggregates', () => {
    const lamps = new Lamps();
    const aggregates = (): Aggregates =>
      new Aggregates(instance.database, instance.reader, clock, instance.tails, auditTrail(clock));
    const switchOn = (): LampEvent[] => [
      { type: 'lamp.switched', data: { on: true } },
      { type: 'lamp.named', data: { name: 'hall' } },
    ];

    it('records each event with actor, origin, before and after', async () => {
      await aggregates().change(lamps, 'a', actor, switchOn);
      const common = {
        tenant_id: 'acme',
        occurred_at: 1_000,
        outcome: 'success',
        reason: null,
        actor_kind: 'api-key',
        actor_id: 'key_1',
        user_id: 'usr_1',
        address: '10.0.0.1',
        user_agent: 'curl',
        route: 'POST /lamps',
        correlation_id: 'corr-1',
        times: 1,
        seq: null,
        hash: null,
      };
      const [first, second] = ['{"on":true}', '{"on":true,"name":"hall"}'];
      expect(await records('tenants/acme/lamps/a')).toEqual([
        expect.objectContaining({ ...common, action: 'lamp.switched', state_before: null, state_after: first }),
        expect.objectContaining({ ...common, action: 'lamp.named', state_before: first, state_after: second }),
      ]);
    });

    it('has no record without an event, and no event without a record', async () => {
      const size = (await readAll(instance.reader, LOG)).length;
      lamps.failure = new Error('the read model refuses');
      await expect(aggregates().change(lamps, 'b', actor, switchOn)).rejects.toBe(lamps.failure);
      lamps.failure = undefined;
      expect(await records('tenants/acme/lamps/b')).toEqual([]);

      const refusal = new Error('the audit cannot be written');
      const mute = { write: () => Promise.reject(refusal) };
      const deaf = new Aggregates(instance.database, instance.reader, clock, instance.tails, mute);
      await expect(deaf.change(lamps, 'b', actor, switchOn)).rejects.toBe(refusal);
      expect(await readAll(instance.reader, LOG)).toHaveLength(size);
    });
  });

  describe('of occurrences', () => {
    it('is written soon after, in the order of the notes', async () => {
      const told = { resource: 'soon' };
      const written = new SignalledDatabase(instance);
      const trail = auditTrail(clock, written);
      for (let i = 0; i < 450; i++) trail.note(login({ ...told, correlationId: `c${i}` }));
      expect(trail.depth).toBe(450);
      await written.times(3); // batches of 200; nobody asked for it
      expect((await records('soon')).map((row) => row['correlation_id'])).toEqual(
        Array.from({ length: 450 }, (_, i) => `c${i}`),
      );
      await trail.close();
    });

    it('counts repeated denials, and writes the count at the end', async () => {
      const trail = auditTrail(clock, instance.database);
      for (let i = 0; i < 15; i++) trail.note(login({ resource: 'denied', outcome: 'denied' }));
      await trail.flush();
      expect(await records('denied')).toHaveLength(10);
      await trail.close();
      expect((await records('denied')).map((row) => row['times'])).toEqual([...Array(10).fill(1), 5]);
    });

    it('waits while the store is unreachable, and is written once when it returns', async () => {
      const away = new SignalledDatabase(instance);
      const trail = auditTrail(clock, away);
      away.failure = unavailable(undefined);
      trail.note(login({ resource: 'away' }));
      expect(await trail.flush()).toBe(false);
      expect(trail.depth).toBe(1);
      away.failure = undefined;
      away.loseNextReply = true;
      expect(await trail.flush()).toBe(false);
      expect(await trail.flush()).toBe(true);
      expect(await records('away')).toHaveLength(1);
      expect(trail.losses).toEqual([]);
      await trail.close();
    });

    it('loses only records that the store refuses', async () => {
      const trail = auditTrail(clock, instance.database);
      trail.note(login({ resource: 'refused', userAgent: 'good' }));
      trail.note(login({ resource: 'refused', outcome: undefined as never }));
      trail.note(login({ resource: 'refused', userAgent: 'good too' }));
      const cycle: Record<string, unknown> = {};
      cycle['self'] = cycle;
      trail.note(login({ resource: 'refused', after: cycle }));
      await trail.close();
      expect((await records('refused')).map((row) => row['user_agent'])).toEqual(['good', 'good too']);
      expect(trail.losses).toEqual([
        ['write-failed', 1],
        ['write-failed', 1],
      ]);
    });

    it('is bounded: records without room are counted, and those that cannot be written at the end as well', async () => {
      const away = new SignalledDatabase(instance);
      away.failure = unavailable(undefined);
      const trail = auditTrail(clock, away);
      for (let i = 0; i < 10_003; i++) trail.note(login({ resource: 'many' }));
      expect(trail.depth).toBe(10_000);
      await trail.close();
      expect(trail.losses).toEqual([
        ['queue-full', 3],
        ['write-failed', 10_000],
      ]);
    });
  });
});

/** A database that can be unreachable, and signals writes. */
class SignalledDatabase {
  failure: DomainError | undefined;
  loseNextReply = false;
  private readonly signals = new EventTarget();
  private written = 0;

  constructor(private readonly instance: Instance) {}

  readonly transaction: Instance['database']['transaction'] = async (work) => {
    if (this.failure) throw this.failure;
    const result = await this.instance.database.transaction(work);
    this.written += 1;
    this.signals.dispatchEvent(new Event('written'));
    if (!this.loseNextReply) return result;
    this.loseNextReply = false;
    throw unavailable(undefined);
  };

  async times(count: number): Promise<void> {
    while (this.written < count) await once(this.signals, 'written');
  }
}
